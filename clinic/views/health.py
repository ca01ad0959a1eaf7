"""Is the process alive, is the house ready."""

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import JsonResponse

from clinic.permissions import open_to_all


@open_to_all
def healthz(request):
    return JsonResponse({"status": "ok"})


@open_to_all
def readyz(request):
    """503 while the database or its migrations are bad; what is wrong is told to the authorised only."""
    problems = []
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            problems.append("migrations")
    except DatabaseError:
        problems.append("database")
    body = {"status": "unready" if problems else "ok"}
    if problems and request.user.has_perm("clinic.view_operations"):
        body["problems"] = problems
    return JsonResponse(body, status=503 if problems else 200)
