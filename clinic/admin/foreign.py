"""A proof that the clerk found this resident of another institution by an exact number, for an hour."""

from django.core import signing

SALT = "clinic.admin.foreign"
SECONDS = 3600


def token(user, resident) -> str:
    return signing.dumps([str(user.uuid), str(resident.uuid)], salt=SALT)


def is_good(request, resident_uuid) -> bool:
    given = request.POST.get("token") or request.GET.get("token", "")
    try:
        return signing.loads(given, salt=SALT, max_age=SECONDS) == [
            str(request.user.uuid),
            str(resident_uuid),
        ]
    except signing.BadSignature:
        return False
