"""Messages of the demo district, room by room."""

from messaging.seeding import campaigns, consents, gateways, quotas

# In this order: gateways carry what campaigns send, allowances pay for it.
ROOMS = (gateways, consents, quotas, campaigns)


def make(staff, residents):
    for room in ROOMS:
        room.make(staff, residents)
