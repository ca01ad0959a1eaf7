"""Maintenance's room of the demo district."""

from django.utils.module_loading import import_string

# Each: a function(staff, residents), as the owner, inside the seed's transaction. staff is {account: user}.
ROOMS: tuple[str, ...] = (
    "maintenance.seeding.tickets.make",
    "maintenance.seeding.contract.make",
    "maintenance.seeding.things.make",
    "maintenance.seeding.training.make",
    "maintenance.seeding.upgrades.make",
    "maintenance.seeding.reports.make",
)


def make(staff, residents):
    for room in ROOMS:
        import_string(room)(staff, residents)
