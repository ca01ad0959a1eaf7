"""Whose network a number is on, and which gateways lead there.

The prefix is a first guess only (rules B6.6): it names the carrier a number was issued by. What refusals, receipts,
an imported list or a person say of one number overrides it (携号转网, ``NumberOverride``).
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import phonenumbers
from django.conf import settings
from django.db import IntegrityError, transaction
from phonenumbers import carrier as phone_carriers

from messaging.codes import Carrier, OverrideSource
from messaging.models import NumberOverride, Route

MOBILE = re.compile(r"1[3-9][0-9]{9}", re.ASCII)
# 8 digits in the large cities, 7 elsewhere; 400 and 800 numbers and short service numbers ring on no handset either.
LANDLINE = re.compile(
    r"(?:(?:\+|00)?86)?0?(?:10|2[0-9]|[3-9][0-9]{2})?[2-8][0-9]{6,7}(?:,[0-9]{1,6})?|[48]00[0-9]{7}|1[02][0-9]{1,3}|9[56][0-9]{3,4}",
    re.ASCII,
)
NOISE = re.compile(r"[\s\-‐-―−.·()/_]+")
EXTENSION = re.compile(r"(?:转|轉|分机|ext\.?|x|#)+", re.IGNORECASE)

# Where ``phonenumbers`` 9 knows nothing or is not asked (sms-protocols, section 4): satellite and things' numbers.
GAPS = {
    "1349": Carrier.TELECOM, "140": Carrier.UNICOM, "141": Carrier.TELECOM, "144": Carrier.MOBILE,
    "146": Carrier.UNICOM, "148": Carrier.MOBILE, "149": Carrier.TELECOM, "174": Carrier.TELECOM,
    "192": Carrier.BROADNET, "1610": Carrier.BROADNET,
}  # fmt: skip
# Virtual operators rent a carrier's network: the host is who reaches them.
VIRTUAL = {
    "162": Carrier.TELECOM, "165": Carrier.MOBILE, "167": Carrier.UNICOM, "171": Carrier.UNICOM,
    "1700": Carrier.TELECOM, "1701": Carrier.TELECOM, "1702": Carrier.TELECOM,
    "1703": Carrier.MOBILE, "1705": Carrier.MOBILE, "1706": Carrier.MOBILE,
    "1704": Carrier.UNICOM, "1707": Carrier.UNICOM, "1708": Carrier.UNICOM, "1709": Carrier.UNICOM,
}  # fmt: skip
NAMES = {
    "China Mobile": Carrier.MOBILE, "China Unicom": Carrier.UNICOM, "China Telecom": Carrier.TELECOM,
    "China Broadnet": Carrier.BROADNET,
}  # fmt: skip
# What a network without a route of its own goes by: Broadnet is carried by China Mobile; the rest by the default,
# which is the route of "other or virtual operator".
INSTEAD = {Carrier.BROADNET: (Carrier.MOBILE, Carrier.OTHER)}
# No prefix of the numbering plan that names a carrier is longer.
PREFIX = 4
_known: dict[str, Carrier] = {}


# Numbers -------------------------------------------------------------------------------------------------------------


def normalise(text: str | None) -> str | None:
    """Eleven digits of a mobile number; None where the text is none. Full-width digits, spaces, hyphens, +86, 0086,
    86 and a leading 0 are understood."""
    if text and len(text) == 11 and MOBILE.fullmatch(text):
        return text
    digits = _plain(text)
    for front in ("+86", "0086", "86", "0", ""):
        rest = digits[len(front) :].removeprefix("0") if digits.startswith(front) else ""
        if MOBILE.fullmatch(rest):
            return rest
    return None


def kind(text: str | None) -> str:
    """ "mobile", "landline" (also service numbers: nothing that shows a short message), "bad" or "empty"."""
    if normalise(text):
        return "mobile"
    digits = _plain(text)
    if not digits:
        return "empty"
    return "landline" if LANDLINE.fullmatch(digits) or _fixed(digits) else "bad"


def _plain(text):
    """Half-width, without blanks, hyphens and brackets; an extension follows a comma."""
    folded = unicodedata.normalize("NFKC", text or "")[:60]
    seen = "".join(sign for sign in folded if unicodedata.category(sign) != "Cf")
    return EXTENSION.sub(",", NOISE.sub("", seen)) if seen.strip() else ""


def _fixed(digits):
    try:
        number = phonenumbers.parse(digits.partition(",")[0], "CN")
    except phonenumbers.NumberParseException:
        return False
    kinds = (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE)
    return number.country_code == 86 and phonenumbers.number_type(number) in kinds


# Carriers ------------------------------------------------------------------------------------------------------------


def carrier(phone: str, overrides: Mapping[str, Carrier] | None = None) -> Carrier:
    """The carrier of a normalised number: what was learnt of it, else what its prefix says."""
    if overrides and (learnt := overrides.get(phone)):
        return learnt
    return _by_prefix(phone)


def _by_prefix(phone):
    prefix = phone[:PREFIX]
    return _known.get(prefix) or _look_up(prefix)


def _look_up(prefix):
    found = GAPS.get(prefix) or GAPS.get(prefix[:3]) or _virtual(prefix) or _listed(prefix)
    # At most as many as there are four digits; anything else is not kept.
    if len(prefix) == PREFIX and prefix.isascii() and prefix.isdigit():
        _known[prefix] = found
    return found


def _virtual(prefix):
    host = VIRTUAL.get(prefix) or VIRTUAL.get(prefix[:3])
    return host if host is None or settings.SMS_VIRTUAL_BY_HOST else Carrier.OTHER


def _listed(prefix):
    if not (prefix.isascii() and prefix.isdigit()):
        return Carrier.OTHER
    number = phonenumbers.PhoneNumber(country_code=86, national_number=int(prefix.ljust(11, "0")))
    return NAMES.get(phone_carriers.name_for_number(number, "en"), Carrier.OTHER)


def overrides(phones: Iterable[str], now: datetime) -> dict[str, Carrier]:
    """{phone: carrier} of those that were learnt to be elsewhere and still count. One query."""
    rows = NumberOverride.objects.in_force(now).filter(phone__in=list(phones))
    return {phone: Carrier(found) for phone, found in rows.values_list("phone", "carrier")}


def learn(phone: str, carrier: Carrier, source: OverrideSource, now: datetime) -> NumberOverride | None:
    """A number turned out to be this carrier's: refused as another's and taken here, or a receipt or a person said so.
    What the network does counts more than what was said before. Ends after SMS_OVERRIDE_DAYS, unless a person or a list
    said it. None where nothing is new (its prefix says the same, or a gateway for all carriers took it)."""
    phone = normalise(phone)
    if phone is None or carrier == Carrier.OTHER:
        return None
    lasting = source in (OverrideSource.PERSON, OverrideSource.IMPORT)
    until = None if lasting else now + timedelta(days=settings.SMS_OVERRIDE_DAYS)
    wanted = {"carrier": Carrier(carrier), "source": source, "learnt_at": now, "until": until}
    with transaction.atomic():
        row = _locked(phone)
        if row is None and carrier == _by_prefix(phone):
            return None
        if row is None:
            try:
                with transaction.atomic():
                    return NumberOverride.objects.create(phone=phone, **wanted)
            except IntegrityError:  # somebody learnt it at the same moment
                row = _locked(phone)
        for name, value in wanted.items():
            setattr(row, name, value)
        row.save(update_fields=list(wanted))
        return row


def _locked(phone):
    return NumberOverride.objects.select_for_update().filter(phone=phone).first()


# Routes --------------------------------------------------------------------------------------------------------------


def table() -> dict[Carrier, list[int]]:
    """{carrier: its gateways' row numbers, the first first}, for every carrier; gateways and routes in use only. A
    carrier without a route goes by the default; [] where there is none either. One query."""
    own = defaultdict(list)
    rows = Route.objects.filter(active=True, gateway__active=True).order_by("carrier", "position", "pk")
    for name, gateway in rows.values_list("carrier", "gateway"):
        own[name].append(gateway)
    return {one: own[one] or _instead(one, own) for one in Carrier}


def _instead(one, own):
    return next((own[other] for other in INSTEAD.get(one, (Carrier.OTHER,)) if own[other]), [])
