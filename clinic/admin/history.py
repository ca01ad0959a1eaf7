"""The desk's history of a row: every version that was saved, field by field. Read with GET alone, through the same
gate as the row itself: the stock admin of django-simple-history asks neither on its page of one version."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime

from django.http import Http404
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

PAGE = 50
LONGEST = 2000  # signs of one value; the version's own page shows it whole


@dataclass(frozen=True)
class FieldChange:
    label: str
    before: str
    after: str


@dataclass(frozen=True)
class Version:
    """``number`` counts from 1, the oldest; ``entry`` is the row of django-simple-history."""

    number: int
    at: datetime
    by: str
    created: bool
    entry: object
    changes: list[FieldChange] = field(default_factory=list)


class RowHistory:
    """Mixed into DeskAdmin. ``history_masks``: {field: function(text) → text} for numbers that name a person;
    ``history_hidden``: fields that this desk does not show at all."""

    history_masks: dict = {}
    history_hidden: frozenset = frozenset()

    def history_urls(self):
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        page = self.admin_site.admin_view
        return [
            path("<public_id:object_id>/history/", page(self.history_view), name=f"{name}_history"),
            path(
                "<public_id:object_id>/history/<int:number>/", page(self.version_view), name=f"{name}_version"
            ),
        ]

    @method_decorator(require_GET)
    def history_view(self, request, object_id, extra_context=None):
        """The versions of a row, newest first, fifty a page."""
        row = self.fetch(request, object_id)
        page = _whole_number(request.GET.get("page", "1"))
        versions, more = self.versions(row, page)
        self.seen(request, row, page="history")
        context = {"versions": versions, "page": page, "more": more, **(extra_context or {})}
        return self._answer(request, row, "admin/object_history.html", context)

    @method_decorator(require_GET)
    def version_view(self, request, object_id, number):
        """One version whole."""
        row = self.fetch(request, object_id)
        entry = _nth(row, number)
        if entry is None:
            raise Http404
        words = Words([entry], self)
        self.seen(request, row, page="history", version=number)
        facts = [(_label(column), words.of(entry, column)) for column in self.columns(entry)]
        context = {"number": number, "entry": entry, "by": _who(entry), "facts": facts}
        return self._answer(request, row, "admin/object_version.html", context)

    def versions(self, row, page=1) -> tuple[list[Version], bool]:
        """A page of versions with what each changed, and whether there are older ones. Queries do not grow with
        their number."""
        if not hasattr(row, "history"):
            return [], False
        start = (page - 1) * PAGE
        count = row.history.count()
        ordered = row.history.select_related("history_user").order_by("-history_date", "-history_id")
        entries = list(ordered[start : start + PAGE + 1])
        shown, older = entries[:PAGE], [*entries[1:], None]
        words = Words(entries, self)
        versions = [
            Version(
                number=count - start - place,
                at=entry.history_date,
                by=_who(entry),
                created=entry.history_type == "+",
                entry=entry,
                changes=self._changes(entry, before, words),
            )
            for place, (entry, before) in enumerate(zip(shown, older, strict=False))
        ]
        return versions, len(entries) > PAGE

    def columns(self, entry):
        """The fields of a version that this desk shows."""
        return [
            column
            for column in entry.tracked_fields
            if column.name not in self.history_hidden and not column.primary_key and column.name != "uuid"
        ]

    def _changes(self, entry, before, words):
        if before is None:
            return []
        return [
            FieldChange(_label(column), words.of(before, column, LONGEST), words.of(entry, column, LONGEST))
            for column in self.columns(entry)
            if getattr(entry, column.attname) != getattr(before, column.attname)
        ]

    def _answer(self, request, row, template, context):
        context = {
            **self.admin_site.each_context(request),
            "title": _("Changes"),
            "subtitle": str(row),
            "opts": self.opts,
            "module_name": self.opts.verbose_name_plural,
            "object": row,
            **context,
        }
        return TemplateResponse(request, template, context)


class Words:
    """Values of versions as a person reads them. Other rows are fetched once for each kind of row."""

    def __init__(self, entries, desk):
        self.desk = desk
        wanted = defaultdict(set)
        for entry in entries:
            for column in desk.columns(entry):
                if column.is_relation and getattr(entry, column.attname) is not None:
                    wanted[column.related_model].add(getattr(entry, column.attname))
        self.rows = {model: model._base_manager.in_bulk(keys) for model, keys in wanted.items()}

    def of(self, entry, column, longest=None):
        text = self._text(entry, column)
        mask = self.desk.history_masks.get(column.name)
        text = mask(text) if mask and text else text
        return text if longest is None or len(text) <= longest else text[:longest] + "…"

    def _text(self, entry, column):
        value = getattr(entry, column.attname)
        if value is None or value == "":
            return ""
        if column.is_relation:
            return str(self.rows[column.related_model].get(value, "—"))
        if column.choices:
            return str(dict(column.flatchoices).get(value, value))
        return plain(value)


def plain(value) -> str:
    """Times of the clinic's zone, yes and no; a list of lines or a set of facts line by line."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, datetime):
        return f"{timezone.localtime(value):%Y-%m-%d %H:%M:%S}"
    if isinstance(value, date):
        return f"{value:%Y-%m-%d}"
    if isinstance(value, dict):
        return "\n".join(
            f"{name} {plain(part)}".strip() for name, part in value.items() if part not in ("", None)
        )
    if isinstance(value, list):
        return "\n".join(" ".join(plain(line).split("\n")) for line in value)
    return str(value)


def _label(column):
    text = str(column.verbose_name)
    return text[:1].upper() + text[1:]


def _who(entry):
    return str(entry.history_user or _("the system"))


def _nth(row, number):
    if not hasattr(row, "history") or not 1 <= number < 2**31:
        return None
    ordered = row.history.select_related("history_user").order_by("history_date", "history_id")
    return next(iter(ordered[number - 1 : number]), None)


def _whole_number(text):
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 100_000):
        raise Http404
    return int(text)
