"""Writing routes, carrier by carrier, and numbers that are not on the network their prefix says."""

from dataclasses import dataclass, field

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from simple_history.utils import bulk_create_with_history

from clinic import audit
from clinic.codes import Act
from clinic.errors import Conflict, Forbidden, Refused
from messaging import routing
from messaging.codes import Carrier, OverrideSource
from messaging.models import NumberOverride, Route

BATCH = 2000
SHOWN = 50


# Routes --------------------------------------------------------------------------------------------------------------


def add(*, carrier, gateway, by, request=None):
    """Put a gateway at the end of a carrier's route; return the Route. One that was switched off comes back there."""
    _may(by, "messaging.add_route")
    if carrier not in Carrier.values:
        raise Refused(_("Please choose from what is offered."), code="choice")
    with transaction.atomic():
        rows = _locked(carrier)
        row = next((one for one in rows if one.gateway_id == gateway.pk), None)
        if row is not None and row.active:
            return row
        last = max((one.position for one in rows), default=0)
        row = row or Route(carrier=carrier, gateway=gateway)
        row.position, row.active = last + 1, True
        try:
            with transaction.atomic():
                row.save()
        except IntegrityError as error:  # the first two rows of a carrier, at once
            raise _changed() from error
        _tell(row, by, request, "add")
        return row


def move(*, route, up, seen, by, request=None):
    """Move a route one place up or down; return it. ``seen``: the uuids of the carrier's routes in the order the person
    saw; Conflict code "changed" when it is another by now, so that a second click moves nothing twice."""
    _may(by, "messaging.change_route")
    with transaction.atomic():
        rows = _locked(route.carrier)
        if [str(row.uuid) for row in rows] != [str(one) for one in seen]:
            raise _changed()
        place = next(at for at, row in enumerate(rows) if row.pk == route.pk)
        other = place - 1 if up else place + 1
        if 0 <= other < len(rows):
            rows[place], rows[other] = rows[other], rows[place]
            for position, row in enumerate(rows, start=1):
                if row.position != position:
                    row.position = position
                    row.save(update_fields=["position"])
            _tell(route, by, request, "up" if up else "down")
        return next(row for row in rows if row.pk == route.pk)


def switch(*, route, active, by, request=None):
    """Take one gateway of a route into use or out of it; return the Route."""
    _may(by, "messaging.change_route")
    with transaction.atomic():
        row = next(one for one in _locked(route.carrier) if one.pk == route.pk)
        if row.active != active:
            row.active = active
            row.save(update_fields=["active"])
            _tell(row, by, request, "on" if active else "off")
        return row


def _locked(carrier):
    return list(Route.objects.select_for_update().filter(carrier=carrier).order_by("position", "pk"))


def _tell(route, by, request, what):
    detail = {"what": f"route {what}", "carrier": route.carrier, "gateway": route.gateway.name}
    audit.record(Act.GATEWAY, by=by, request=request, obj=route, detail=detail)


def _changed():
    return Conflict(_("Somebody changed this route meanwhile. Please look at it again."), code="changed")


# Numbers -------------------------------------------------------------------------------------------------------------


def set_number(*, phone, carrier, by, request=None, now=None):
    """A person says whose network a number is on; return the NumberOverride. Refused codes: phone, choice."""
    _may(by, "messaging.add_numberoverride")
    plain = routing.normalise(phone)
    if plain is None:
        raise Refused(_("This is no mobile number."), code="phone", field="phone")
    if carrier not in Carrier.values:
        raise Refused(_("Please choose from what is offered."), code="choice", field="carrier")
    with transaction.atomic():
        wanted = {
            "carrier": carrier, "source": OverrideSource.PERSON, "learnt_at": now or timezone.now(), "until": None,
        }  # fmt: skip
        row = NumberOverride.objects.select_for_update().filter(phone=plain).first()
        if row is None:
            row, _made = NumberOverride.objects.get_or_create(phone=plain, defaults=wanted)
        for name, value in wanted.items():
            setattr(row, name, value)
        row.save()
        audit.record(Act.GATEWAY, by=by, request=request, obj=row, detail={"what": "ported number"})
        return row


@dataclass
class Imported:
    """What a list brought, or would bring. ``faults``: (row, sentence), the first SHOWN of ``refused``."""

    rows: int = 0
    new: int = 0
    changed: int = 0
    same: int = 0
    repeated: int = 0
    refused: int = 0
    faults: list = field(default_factory=list)
    done: bool = False


def import_numbers(*, lines, by, dry_run, request=None, now=None) -> Imported:
    """Take in (row number, phone, carrier's word) lines. Lines that cannot be read are told and passed over; of a number
    that comes twice the last line counts. Harmless to repeat."""
    _may(by, "messaging.add_numberoverride")
    report = Imported()
    wanted = list(_wanted(lines, report).items())
    now = now or timezone.now()
    with transaction.atomic():
        for start in range(0, len(wanted), BATCH):
            _take_in(dict(wanted[start : start + BATCH]), report, by, now, dry_run)
        if not dry_run:
            report.done = True
            audit.record(
                Act.IMPORT, by=by, request=request,
                detail={"what": "ported numbers", "rows": report.rows, "new": report.new, "changed": report.changed},
            )  # fmt: skip
    return report


def _wanted(lines, report):
    """{phone: carrier}, in one order, so that two imports cannot wait for each other."""
    wanted = {}
    for number, typed, word in lines:
        report.rows += 1
        phone, carrier = routing.normalise(_digits(typed)), NAMES.get(str(word or "").strip().casefold())
        if phone is None or carrier is None:
            report.refused += 1
            if len(report.faults) < SHOWN:
                report.faults.append((number, _no_phone() if phone is None else _no_carrier()))
            continue
        report.repeated += phone in wanted
        wanted[phone] = carrier
    return dict(sorted(wanted.items()))


def _take_in(wanted, report, by, now, dry_run):
    there = {
        row.phone: row
        for row in NumberOverride.objects.select_for_update().filter(phone__in=list(wanted)).order_by("phone")
    }
    new, changed = [], []
    facts = {"source": OverrideSource.IMPORT, "learnt_at": now, "until": None}
    for phone, carrier in wanted.items():
        row = there.get(phone)
        if row is None:
            new.append(NumberOverride(phone=phone, carrier=carrier, **facts))
        elif (row.carrier, row.until) == (carrier, None):
            report.same += 1
        else:
            row.carrier = carrier
            for name, value in facts.items():
                setattr(row, name, value)
            changed.append(row)
    report.new += len(new)
    report.changed += len(changed)
    if dry_run:
        return
    try:
        with transaction.atomic():
            bulk_create_with_history(new, NumberOverride, batch_size=BATCH, default_user=by)
    except IntegrityError as error:
        raise Conflict(
            _("Somebody wrote some of these numbers meanwhile. Please import again."), code="changed"
        ) from error
    _change(changed, facts, by)


def _change(rows, facts, by):
    """All of a carrier in one statement: bulk_update's, of thousands of cases, takes a minute for a long list."""
    for carrier in {row.carrier for row in rows}:
        keys = [row.pk for row in rows if row.carrier == carrier]
        NumberOverride.objects.filter(pk__in=keys).update(carrier=carrier, **facts)
    NumberOverride.history.bulk_history_create(rows, batch_size=BATCH, update=True, default_user=by)


# What lists call the carriers.
NAMES = {
    **{one.value: one for one in Carrier},
    **dict.fromkeys(("移动", "中国移动", "china mobile", "cmcc", "001"), Carrier.MOBILE),
    **dict.fromkeys(("联通", "中国联通", "china unicom", "cucc", "002"), Carrier.UNICOM),
    **dict.fromkeys(("电信", "中国电信", "china telecom", "ctcc", "003"), Carrier.TELECOM),
    **dict.fromkeys(("广电", "中国广电", "china broadnet", "cbn", "004"), Carrier.BROADNET),
    **dict.fromkeys(("其他", "虚拟运营商"), Carrier.OTHER),
}  # fmt: skip


def _digits(value):
    """Excel makes numbers of phones: 13800138000.0."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value or "")[:40]


def _no_phone():
    return _("This is no mobile number.")


def _no_carrier():
    return _("This carrier is not known here.")


def _may(by, right):
    if not by.has_perm(right):
        raise Forbidden(_("Your role does not allow this."), code="right")
