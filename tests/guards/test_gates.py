"""No page without a named permission, no row past visible_to, no permission that does not exist."""

import re
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission
from django.urls import URLPattern, URLResolver, get_resolver

from clinic.codes import Role
from clinic.permissions import CLINICAL_ROLES, ROLES

ROOT = Path(__file__).resolve().parents[2]
# Django's own pages: the admin asks has_permission itself, the language switch is for all.
FOREIGN = re.compile(r"^(admin/|i18n/)")
READS = re.compile(r"(\w+)\.objects\.(?!visible_to|in_scope|in_force|none\b|get_by_natural_key)(\w+)")


def patterns(resolver, prefix=""):
    for entry in resolver.url_patterns:
        where = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from patterns(entry, where)
        elif isinstance(entry, URLPattern):
            yield where, entry.callback


OWN_PAGES = [(where, view) for where, view in patterns(get_resolver()) if not FOREIGN.match(where)]


@pytest.mark.parametrize(("where", "view"), OWN_PAGES, ids=[where for where, _view in OWN_PAGES])
def test_view_names_its_permission(where, view):
    assert hasattr(view, "needs"), f"{where}: decorate the view with needs(), signed_in or open_to_all"


@pytest.mark.django_db
def test_every_permission_of_a_role_exists():
    known = {
        f"{app}.{code}" for app, code in Permission.objects.values_list("content_type__app_label", "codename")
    }
    assert frozenset().union(*(grant.permissions for grant in ROLES.values())) <= known


@pytest.mark.django_db
def test_every_permission_a_view_names_exists():
    known = {
        f"{app}.{code}" for app, code in Permission.objects.values_list("content_type__app_label", "codename")
    }
    assert {perm for _where, view in OWN_PAGES for perm in view.needs} <= known


def test_every_role_has_a_line_in_the_table():
    assert set(ROLES) == set(Role)


def test_technical_roles_see_no_patient():
    blind = {Role.SYSADMIN, Role.SECADMIN, Role.VENDOR, Role.CENTRE_IT, Role.DISTRICT_IT, Role.INTEGRATOR}
    patient = re.compile(r"^(clinic\.\w+_(resident|allergy|problem|keytag|household)|emr\.(?!view_term).*)$")
    assert not [perm for role in blind for perm in ROLES[role].permissions if patient.match(perm)]


def test_notes_belong_to_clinical_roles():
    assert {role for role, grant in ROLES.items() if "emr.view_note" in grant.permissions} == CLINICAL_ROLES


@pytest.mark.parametrize(
    "path",
    sorted([*ROOT.glob("*/views/*.py"), *ROOT.glob("*/views.py"), *ROOT.glob("*/api.py")]),
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_views_fetch_rows_through_the_gate(path):
    """Views start every query of a row at visible_to or in_scope."""
    past = READS.findall(path.read_text(encoding="utf-8"))
    assert not past, f"{path.name}: {past}"
