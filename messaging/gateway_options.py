"""The options each protocol knows (messaging/gateways/<protocol>.py), as the desk asks for them: with help, checked
before they are kept, unknown ones refused. What is left empty is the protocol's own choice."""

import ipaddress
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.errors import Refused
from messaging import secrets
from messaging.codes import Protocol
from messaging.gateways.base import Verdict
from messaging.gateways.options import MEANINGS

LONGEST = 4000  # characters of a map as JSON
ENTRIES = 200


@dataclass(frozen=True)
class Option:
    """``kind``: int, float, bool, text, clock ("08:00"), choice, networks, secret, codes ({carrier's code: a Verdict}),
    stats ({carrier's word: a meaning}), verdicts ({any word: a Verdict}), map (any JSON object). ``least`` and ``most``: of a number, or ``most`` of a
    text's length."""

    name: str
    help: str | Promise
    kind: str = "text"
    least: float = 0
    most: float = 30
    choices: tuple[str, ...] = ()
    needed: bool = False


CODES = Option("codes", gettext_lazy('What an answer\'s code means at this account, as {"101": "throttled"}: accepted, throttled, elsewhere, closed, refused'), "codes")  # fmt: skip
STATS = Option("stats", gettext_lazy('What a word of a receipt means at this account, as {"MA:0001": "blacklisted"}: delivered, failed, temporary, expired, under_way, empty_number, absent, full, blacklisted, elsewhere'), "stats")  # fmt: skip
HOURS = Option("valid_hours", gettext_lazy("The carrier gives up after so many hours; 0: its own choice"), "int", most=31 * 24)  # fmt: skip
PADDED = Option("padded_id", gettext_lazy("The login is computed over an account filled up with zero bytes (rare)"), "bool")  # fmt: skip
SERVICE = Option("service_id", gettext_lazy("Service number that the carrier gave out"), most=10)
FEE = gettext_lazy("Fee fields, as the carrier wants them; empty: free of charge")
PATIENCE = (
    Option("retry_first", gettext_lazy("Seconds until the first new try after a connection broke; 0.2"), "float", 0.01, 60),
    Option("retry_longest", gettext_lazy("Longest time between two tries, in seconds; 30"), "float", 0.01, 3600),
    Option("refused_first", gettext_lazy("Seconds until the next try after a refused login; 5"), "float", 0.01, 600),
    Option("refused_longest", gettext_lazy("Longest time between two refused logins, in seconds; 300"), "float", 0.01, 86400),
)  # fmt: skip
CMPP = (
    SERVICE,
    Option("fee_user_type", FEE, "int", most=3),
    Option("fee_terminal_id", FEE, most=21),
    Option("fee_type", FEE, most=2),
    Option("fee_code", FEE, most=6),
    Option("source", gettext_lazy("Msg_src; empty: the account"), most=6),
    Option("link_id", gettext_lazy("LinkID, CMPP 3.0 only"), most=20),
    Option("level", gettext_lazy("Priority, 0 to 9"), "int", most=9),
    Option("pid", "TP_pid", "int", most=255),
    Option("prefix", gettext_lazy("Put before the phone number; empty or 86"), most=6),
    Option("version", gettext_lazy("Version of the login; 32: CMPP 2.0, 48: CMPP 3.0"), "int", most=255),
    PADDED, HOURS, CODES, STATS, *PATIENCE,
)  # fmt: skip
SGIP = (
    Option("node", gettext_lazy("Our node number at Unicom, 3AAAAQQQQQ (needed)"), "int", 1, 4_294_967_295, needed=True),
    Option("corp_id", gettext_lazy("Company number at Unicom"), most=5),
    Option("service_type", gettext_lazy("Service number that the carrier gave out"), most=10),
    Option("charge_number", FEE, most=21),
    Option("fee_type", FEE, "int", most=9), Option("fee_value", FEE, most=6), Option("given_value", FEE, most=6),
    Option("agent_flag", FEE, "int", most=1),
    Option("priority", gettext_lazy("Priority, 0 to 9"), "int", most=9),
    Option("caused_by", "MorelatetoMTFlag", "int", most=3),
    Option("report_flag", gettext_lazy("Receipts: 1 always, 0 on failure only, 2 never"), "int", most=3),
    Option("login_type", gettext_lazy("Kind of our login, 1"), "int", 1, 255),
    Option("resend", gettext_lazy("An unanswered message is sent once more under the same number, which the carrier drops if it has it"), "bool"),
    Option("listen_host", gettext_lazy("Address of ours at which the carrier brings receipts; empty: all"), most=45),
    Option("listen_port", gettext_lazy("Port of ours at which the carrier brings receipts, 8801"), "int", 1, 65535),
    Option("listen_login", gettext_lazy("The account under which the carrier logs in at ours; empty: the same"), most=16),
    Option("listen_password", gettext_lazy("The secret with which the carrier logs in at ours; empty: the same"), "secret"),
    Option("listen_idle", gettext_lazy("Seconds after which a silent connection of the carrier is closed, 600"), "float", 1, 86400),
    Option("peers", gettext_lazy("Networks from which the carrier may come, 10.1.2.0/24, 10.1.3.7; empty: the gateway's address"), "networks"),
    CODES, STATS, *PATIENCE,
)  # fmt: skip
SMGP = (
    SERVICE,
    Option("mode", gettext_lazy("Kind of login: 0 send, 1 receive, 2 both"), "int", most=2),
    Option("format", gettext_lazy("Character set of the text: 8 UCS-2, 15 GBK"), "int", most=15),
    Option("fee_type", FEE, most=2), Option("fee_code", FEE, most=6), Option("fixed_fee", FEE, most=6),
    Option("charge_number", FEE, most=21),
    Option("company", gettext_lazy("Company number at Telecom"), most=8),
    Option("product", "MServiceID", most=21),
    Option("opens", gettext_lazy("When the carrier's sending hours begin, 08:00"), "clock"),
    Option("closes", gettext_lazy("When the carrier's sending hours end, 20:00"), "clock"),
    PADDED, CODES, STATS, *PATIENCE,
)  # fmt: skip
TYPES = gettext_lazy("Kind of number, as in SMPP 5.2.5 and 5.2.6")
SMPP = (
    Option("system_type", gettext_lazy("system_type of the login"), most=12),
    Option("service_type", gettext_lazy("Service number that the carrier gave out"), most=5),
    Option("source_ton", TYPES, "int", most=255), Option("source_npi", TYPES, "int", most=255),
    Option("dest_ton", TYPES, "int", most=255), Option("dest_npi", TYPES, "int", most=255),
    Option("prefix", gettext_lazy("Put before the phone number; empty or 86"), most=6),
    Option("priority", gettext_lazy("Priority, 0 to 9"), "int", most=9),
    Option("ids", gettext_lazy("How a receipt's number is compared with the answer's"), "choice", choices=("loose", "exact", "receipts_hex", "receipts_decimal")),
    Option("id_width", gettext_lazy("A number in a question is filled up with zeros to so many signs"), "int", most=65),
    Option("zone", gettext_lazy("Hours from Greenwich of the receipts' times, 8"), "float", -12, 14),
    HOURS, CODES, STATS, *PATIENCE,
)  # fmt: skip
NAMES = gettext_lazy('Names of the platform for ours, as {"phone": "mobile"}')
HTTP = (
    Option("preset", gettext_lazy("A platform that is known: mas for 移动云MAS"), "choice", choices=("mas",)),
    Option("tls", gettext_lazy("Encrypted, and the platform's certificate is checked"), "bool"),
    Option("ca", gettext_lazy("File on the server with the certificates to trust; empty: the system's"), most=200),
    Option("path", gettext_lazy("Where messages are handed in, /sms/send"), most=200),
    Option("query_path", gettext_lazy("Where a message is asked about, /sms/query; none: the platform knows no questions"), most=200),
    Option("batch", gettext_lazy("Messages in one request, 20"), "int", 1, 1000),
    Option("fields", NAMES, "map"), Option("answer", NAMES, "map"), Option("report", NAMES, "map"),
    Option("statuses", gettext_lazy('Words of an answer, as {"1000": "accepted"}'), "verdicts"),
    Option("other", gettext_lazy("What a word means that is not among them; in_doubt"), "choice", choices=tuple(one.value for one in Verdict)),
    Option("http", gettext_lazy('What an HTTP status means, as {"503": "throttled"}'), "verdicts"),
    Option("constant", gettext_lazy("Put into every request, as JSON"), "map"),
    Option("sign", gettext_lazy("Code of the signature at the platform"), most=60),
    STATS, *PATIENCE,
)  # fmt: skip
KNOWN: dict[str, tuple[Option, ...]] = {
    Protocol.CMPP2: CMPP, Protocol.CMPP3: CMPP, Protocol.SGIP: SGIP, Protocol.SMGP: SMGP, Protocol.SMPP: SMPP,
    Protocol.HTTP: HTTP,
}  # fmt: skip


def clean(protocol: str, given: Mapping[str, Any], kept: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The options to keep, each in its type; an empty one is left out. ``kept`` are those of before: a secret that is
    left empty stays. Refused code "options" (field ``option_<name>``) for an unknown or unfit one."""
    known = {option.name: option for option in KNOWN[protocol]}
    if unknown := sorted(set(given) - set(known)):
        raise Refused(
            _("This protocol knows no option %(name)s.") % {"name": unknown[0][:40]},
            code="options",
            field="options",
        )
    found = {}
    for name, option in known.items():
        value = given.get(name)
        if option.kind == "secret" and not value:
            value = (kept or {}).get(name)
        elif value not in (None, ""):
            value = _checked(option, value)
        if value not in (None, ""):
            found[name] = value
        elif option.needed and kept is not None:
            raise _unfit(option, _("This option is needed."))
    return found


def _checked(option, value):
    try:
        return READERS[option.kind](option, value)
    except (ValueError, TypeError, OverflowError, RecursionError, AttributeError) as error:
        raise _unfit(option, _("This value does not fit.")) from error


def _unfit(option, sentence):
    text = f"{option.name}: {sentence}"
    return Refused(text, code="options", field=f"option_{option.name}")


# One reader a kind: (option, value) → the value to keep, or ValueError ------------------------------------------------


def _number(option, value):
    number = (int if option.kind == "int" else float)(value if isinstance(value, str) else repr(value))
    if not option.least <= number <= option.most:
        raise ValueError
    return number


def _flag(option, value):
    if value in (True, False):
        return bool(value)
    return {"true": True, "false": False}[value] if value in ("true", "false") else _fail()


def _text(option, value):
    text = str(value).strip()
    return text if len(text) <= option.most and text.isascii() and text.isprintable() else _fail()


def _clock(option, value):
    return value if re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", value, re.ASCII) else _fail()


def _choice(option, value):
    return value if value in option.choices else _fail()


def _networks(option, value):
    parts = re.split(r"[\s,;，、]+", value) if isinstance(value, str) else value
    return [str(ipaddress.ip_network(part, strict=False)) for part in parts if part] or _fail()


def _secret(option, value):
    """Encrypted, or a variable's name; what is encrypted already stays."""
    return secrets.store(str(value))


def _codes(option, value):
    meanings = {verdict.value for verdict in Verdict} - {Verdict.IN_DOUBT.value, Verdict.NOT_SENT.value}
    return {str(int(code)): word if word in meanings else _fail() for code, word in _object(value).items()}


def _stats(option, value):
    return {str(stat)[:40]: word if word in MEANINGS else _fail() for stat, word in _object(value).items()}


def _verdicts(option, value):
    words = {verdict.value for verdict in Verdict}
    return {str(name)[:60]: word if word in words else _fail() for name, word in _object(value).items()}


def _map(option, value):
    return _object(value)


def _object(value):
    if isinstance(value, str):
        value = json.loads(value) if len(value) <= LONGEST else _fail()
    return value if isinstance(value, dict) and len(value) <= ENTRIES else _fail()


def _fail():
    raise ValueError


READERS = {
    "int": _number, "float": _number, "bool": _flag, "text": _text, "clock": _clock, "choice": _choice,
    "networks": _networks, "secret": _secret, "codes": _codes, "stats": _stats, "verdicts": _verdicts, "map": _map,
}  # fmt: skip
