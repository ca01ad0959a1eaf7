"""Writing institutions and neighbourhoods. Code, kind and place stay as they were set: audit rows and
health-record numbers know them."""

from django.db import transaction
from django.utils.translation import gettext as _

from clinic import audit
from clinic.codes import Act, InstitutionKind
from clinic.errors import Refused

PARENT_OF = {
    InstitutionKind.CENTRE: {InstitutionKind.DISTRICT},
    InstitutionKind.STATION: {InstitutionKind.CENTRE, InstitutionKind.DISTRICT},
}


@transaction.atomic
def keep_institution(*, institution, by, request=None, changed=()):
    """Save a new institution, or the ``changed`` fields of an old one."""
    if institution.pk is None:
        _check_place(institution)
        institution.save(force_insert=True)
        audit.record(Act.CREATE, by=by, request=request, obj=institution)
        return institution
    return _keep(
        institution, by, request, [name for name in changed if name not in {"kind", "parent", "code"}]
    )


@transaction.atomic
def keep_community(*, community, by, request=None, changed=()):
    if community.pk is None:
        community.save(force_insert=True)
        audit.record(Act.CREATE, by=by, request=request, obj=community)
        return community
    return _keep(community, by, request, [name for name in changed if name != "code"])


def _keep(row, by, request, changed):
    if changed:
        type(row).objects.select_for_update().get(pk=row.pk)
        row.save(update_fields=changed)
        audit.record(Act.CHANGE, by=by, request=request, obj=row, detail={"fields": sorted(changed)})
    return row


def _check_place(institution):
    parent = institution.parent
    if parent is None or parent.kind not in PARENT_OF.get(institution.kind, ()):
        raise Refused(_("A centre belongs to the district office, a station to a centre."), field="parent")
