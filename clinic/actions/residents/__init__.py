"""What is done to residents, one file per noun. Actions lock the resident's row first."""

from clinic.actions.residents.access import open_with_reason, reveal
from clinic.actions.residents.health import (
    add_problem,
    record_allergy,
    refute_allergy,
    resolve_problem,
    set_no_known_allergies,
)
from clinic.actions.residents.household import household_of_member, leave_household, set_household
from clinic.actions.residents.merging import merge, undo_merge
from clinic.actions.residents.registering import change, register, set_life_state
from clinic.actions.residents.tagging import tag, untag

__all__ = [
    "add_problem",
    "change",
    "household_of_member",
    "leave_household",
    "merge",
    "open_with_reason",
    "record_allergy",
    "refute_allergy",
    "register",
    "resolve_problem",
    "reveal",
    "set_household",
    "set_life_state",
    "set_no_known_allergies",
    "tag",
    "undo_merge",
    "untag",
]
