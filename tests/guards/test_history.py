"""``update()`` and ``bulk_update()`` leave no history, so on models with history nobody calls them: a short list of
exceptions stands here, each with its why."""

import ast

import pytest
from django.apps import apps

from tests.guards.test_shape import CODE, short

SILENT = {"update", "bulk_update", "aupdate", "abulk_update"}
# Names under which this house keeps plain dicts and the like, which have an update() of their own.
DICTS = {"context", "digest", "line", "prompts", "attrs", "facts", "found", "merged", "values"}
# file: {function: why it may}
ALLOWED = {
    "clinic/models/lease.py": {
        "take": "leases have no history",
        "release": "leases have no history",
    },
    "clinic/timetable.py": {"_bring_back": "jobs of the queue have no history"},
    "emr/actions/drafts.py": {"write": "a draft's history is its saves (rule 5)"},
    "emr/actions/visits.py": {"_open_note": "a draft's history is its saves (rule 5)"},
    "emr/actions/signing.py": {"_count_uses": "a count of uses has no history"},
    "messaging/building.py": {"_give_up": "messages have no history"},
    "messaging/actions/campaigns.py": {"_cleared": "messages have no history"},
    "messaging/actions/routes.py": {"_change": "writes the history itself"},
    "contracts/models/fulfilment.py": {"close": "planned services have no history"},
    "maintenance/actions/tickets.py": {
        "merge": "a ticket's history is its events",
        "_end_pause": "pauses have no history",
    },
    "maintenance/alarms.py": {"_keep": "alarms have no history"},
    "maintenance/escalation.py": {"_fire_some": "alarms have no history"},
    "maintenance/things/probing.py": {"_count": "hours of lines have no history"},
    "emr/seeding/bulk.py": {"*": "a count of uses has no history"},
}


def silent_writes(source):
    """(name of the function, line) of each call that writes rows without their history."""
    tree = ast.parse(source)
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.Call) and _is_silent(node):
                    yield function.name, node.lineno


def _is_silent(call):
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in SILENT:
        return False
    receiver = call.func.value
    if call.func.attr != "update":
        return True
    plain = isinstance(receiver, ast.Name | ast.Attribute) and _last_name(receiver) in DICTS
    return not plain and not _is_dictish(call)


def _last_name(node):
    return node.id if isinstance(node, ast.Name) else node.attr


def _is_dictish(call):
    """dict.update(other): a QuerySet's update takes names alone."""
    return bool(call.args)


@pytest.mark.parametrize("path", CODE, ids=short)
def test_rows_with_history_are_saved_one_by_one(path):
    allowed = ALLOWED.get(short(path), {})
    found = [
        f"{short(path)}:{line} {name}"
        for name, line in silent_writes(path.read_text(encoding="utf-8"))
        if name not in allowed and "*" not in allowed
    ]
    assert not found, "update() leaves no history: save the rows, or say in ALLOWED why it may"


def test_the_list_of_exceptions_names_no_ghosts():
    sources = {short(path): path for path in CODE}
    for name, functions in ALLOWED.items():
        found = {function for function, _line in silent_writes(sources[name].read_text(encoding="utf-8"))}
        assert found, name
        assert set(functions) <= found | {"*"}


@pytest.mark.parametrize(
    "written",
    [
        "Resident.objects.filter(pk=1).update(name='x')", "rows.update(name='x')",
        "Resident.objects.bulk_update(rows, ['name'])", "self.rows().update(**facts)", "x.objects.update()",
    ],
)  # fmt: skip
def test_a_silent_write_is_found(written):
    assert list(silent_writes(f"def act():\n    {written}\n")) == [("act", 2)]


@pytest.mark.parametrize("written", ["context.update(title='x')", "seen.update(other)", "line.update(facts)"])
def test_a_dict_is_no_row(written):
    assert not list(silent_writes(f"def act():\n    {written}\n"))


def test_what_people_edit_has_a_history():
    """Rows are written once (append-only), or every change of them is kept."""
    kept = {
        model._meta.label_lower
        for model in apps.get_models()
        if hasattr(model, "history") or getattr(model, "append_only", False)
    }
    ours = {
        model._meta.label_lower
        for app in ("clinic", "emr", "messaging", "contracts", "maintenance")
        for model in apps.get_app_config(app).get_models()
        if not model.__name__.startswith("Historical")
    }
    assert ours - kept == WITHOUT


# Why they have none: reference data that is imported whole, counters, rows with a life of two states that says itself
# who did what and when; a message, whose history is its attempts and receipts; what a machine says of itself.
WITHOUT = {
    "contracts.agreementcounter", "contracts.agreementpackage", "contracts.batch", "contracts.batchline",
    "contracts.figure", "contracts.planitem",
    "clinic.lease", "clinic.passwordrecord", "clinic.recordnumbercounter", "clinic.residentmerge",
    "emr.diagnosisuse", "emr.referralcounter", "emr.sealedcopy", "emr.term", "emr.termrelease",
    "clinic.requestminute", "maintenance.kitkey", "maintenance.alarm", "maintenance.backup", "maintenance.linkhour",
    "maintenance.linkstate", "maintenance.pause", "maintenance.ticket", "maintenance.ticketcounter", "maintenance.ticketfilter",
    "maintenance.watchhour",
    "messaging.exclusion", "messaging.gatewayhealth", "messaging.hookcall",
    "messaging.message", "messaging.tally",
}  # fmt: skip
