"""Is the process alive, is the house ready. clinic.middleware.Probes calls these before sessions are read."""

from django.http import JsonResponse

from clinic.permissions import open_to_all


@open_to_all
def healthz(request):
    """Alive: answers without the database."""
    return JsonResponse({"status": "ok"})


@open_to_all
def readyz(request):
    """503 while database, migrations or queues are bad; what is wrong is told to the authorised only."""
    return answer(request.problems, explain=request.user.has_perm("clinic.view_operations"))


def answer(problems, explain=False):
    body = {"status": "unready" if problems else "ok"}
    if problems and explain:
        body["problems"] = problems
    return JsonResponse(body, status=503 if problems else 200, headers={"Cache-Control": "no-store"})
