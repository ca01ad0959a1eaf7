"""What the pages of an allowance show: bars, the year's table and its sum, the ledger with its running balance."""

from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal

from django.db.models import OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce, TruncMonth
from django.http import Http404
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from clinic import audit, spreadsheets
from clinic.codes import Act
from messaging.codes import QuotaKind
from messaging.models import QuotaEntry, QuotaLoan
from messaging.quota import Balance

BAR = 1000
EXPORTED = 50_000


@dataclass(frozen=True)
class Part:
    """A piece of the bar: of a thousand units, from the left."""

    kind: str
    label: str
    count: int
    x: int
    width: int


def bar(balance) -> list[Part]:
    """Used, then reserved; what is left of the bar is free. More than is granted fills it."""
    parts, x = [], 0
    whole = max(balance.granted, balance.spoken_for, 1)
    for kind, label, count in (
        ("used", _("used"), balance.used),
        ("reserved", _("reserved"), balance.reserved),
    ):
        width = max(count, 0) * BAR // whole
        parts.append(Part(kind, label, count, x, width))
        x += width
    return parts


@dataclass(frozen=True)
class Total:
    balance: Balance
    needed: int
    gap: int
    money: Decimal | None

    @property
    def parts(self):
        return bar(self.balance)


def total(rows) -> Total:
    """The sum of a table's lines. Shares cancel out: what one gave, another has."""
    stands = [row.balance for row in rows]
    money = [row.ahead.money for row in rows if row.ahead.money is not None]
    return Total(
        Balance(sum(b.free for b in stands), sum(b.reserved for b in stands), sum(b.used for b in stands)),
        sum(row.ahead.needed for row in rows),
        sum(row.ahead.gap for row in rows),
        sum(money) if money else None,
    )


def year_of(text) -> int:
    """This year, unless another one is asked for in four ASCII digits."""
    return int(text) if text.isascii() and text.isdigit() and len(text) == 4 else timezone.localdate().year


def entries(quota, asked):
    """The ledger's lines, newest first; ``asked``: ``kind`` and ``month`` of the address, nonsense left out."""
    rows = quota.entries.select_related("campaign", "counterpart__institution", "by").order_by("-pk")
    if asked.get("kind") in QuotaKind.values:
        rows = rows.filter(kind=asked["kind"])
    if month := _month(asked.get("month", "")):
        rows = rows.filter(at__gte=_moment(month), at__lt=_moment(_next(month)))
    return rows


def running(quota, rows):
    """Give each line the three pots as they stood after it. One query."""
    upto = (
        QuotaEntry.objects.filter(quota=OuterRef("quota"), pk__lte=OuterRef("pk")).order_by().values("quota")
    )
    after = {
        name: Coalesce(Subquery(upto.annotate(n=Sum(name)).values("n")), 0)
        for name in ("free", "reserved", "used")
    }
    numbers = [row.pk for row in rows]
    sums = QuotaEntry.objects.filter(pk__in=numbers).annotate(
        **{f"{name}_after": value for name, value in after.items()}
    )
    stood = {
        pk: Balance(*values)
        for pk, *values in sums.order_by().values_list("pk", "free_after", "reserved_after", "used_after")
    }
    for row in rows:
        row.after = stood[row.pk]


def months(quota):
    """First days of the months that have lines, newest first."""
    return (
        quota.entries.order_by()
        .annotate(month=TruncMonth("at"))
        .values_list("month", flat=True)
        .distinct()
        .order_by("-month")
    )


def loans_of(quota):
    return (
        QuotaLoan.objects.filter(Q(lender=quota) | Q(borrower=quota))
        .select_related("lender__institution", "borrower__institution", "asked_by", "decided_by")
        .order_by("-pk")[:50]
    )


def sheet(request, quota, form):
    """The year's ledger as a spreadsheet."""
    if form not in spreadsheets.FORMS:  # before the trail says that it went out
        raise Http404
    audit.record(Act.EXPORT, request=request, obj=quota)
    rows = quota.entries.select_related("campaign", "counterpart__institution", "by").order_by("pk")[
        :EXPORTED
    ]
    stands = Balance()
    lines = []
    for row in rows:
        stands = Balance(stands.free + row.free, stands.reserved + row.reserved, stands.used + row.used)
        lines.append(
            [
                f"{timezone.localtime(row.at):%Y-%m-%d %H:%M:%S}",
                row.get_kind_display(),
                row.free,
                row.reserved,
                row.used,
                stands.free,
                str(row.campaign or ""),
                str(row.counterpart and row.counterpart.institution or ""),
                row.document,
                row.money,
                str(row.by or ""),
            ]  # fmt: skip
        )
    headings = [
        _("time"), _("kind"), _("free"), _("reserved"), _("used"), _("free after it"), _("campaign"),
        _("other institution"), _("document"), _("amount, CNY"), _("written by"),
    ]  # fmt: skip
    return spreadsheets.answer(f"allowance-{quota.year}", form, headings, lines)


def _month(text):
    """The first day of a month of this century; of anything else None."""
    try:
        month = parse_date(f"{text}-01")
    except ValueError:
        return None
    return month if month and 2000 <= month.year <= 2100 else None


def _next(month):
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def _moment(day):
    return timezone.make_aware(datetime.combine(day, time.min))
