"""Lost-record inquiry 丢失病历取证: all that happened to one visit's note, on one time line.

Each kind is fetched by its index, newest or oldest first, at most a page of it, and put together in memory: the
number of queries is the same for three saves and for three thousand.
"""

import uuid
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from django.db.models import Count, Max, Min, Q, Sum
from django.db.models.functions import TruncDate, TruncMinute
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from clinic.codes import Act
from clinic.models import AuditEntry
from emr.codes import EncounterStatus
from emr.models import Correction, NoteReview, Save, SaveFault
from emr.saved import words as inquiry_words

PAGE = 50
DAYS = 31  # the sign-ins of at most so many days on which something was saved
KINDS = ("visit", "saves", "versions", "faults", "sign_ins", "reads")
SIGN_INS = (Act.SIGN_IN, Act.SIGN_OUT, Act.SIGN_IN_FAILED, Act.UNLOCK, Act.PASSWORD)
READS = (Act.VIEW, Act.PRINT, Act.COPY, Act.EXPORT, Act.INQUIRE, Act.RESTORE, Act.SEARCH_OPEN)
# The visit's row tells its beginning and its end; the trail tells what lay in between.
VISIT_ACTS = (Act.CHANGE, Act.REFUSED, Act.DENIED, Act.REQUEST, Act.DECIDE)
OF_TRAIL = {"visit": VISIT_ACTS, "reads": READS}


@dataclass(frozen=True)
class Event:
    """A line. ``mark`` orders events of one moment; ``row`` is for lines that lead on: of saves and of faults."""

    at: datetime
    kind: str
    mark: str
    who: str
    words: str
    small: str = ""
    row: object = field(compare=False, default=None)

    @property
    def place(self):
        return self.at, self.mark

    @property
    def word(self):
        return to_word(self.place)


class TimeLine:
    """The time line of a note. ``kinds``: those wanted; ``oldest``: oldest first; ``after``: the place of the
    last event shown."""

    def __init__(self, note, kinds=KINDS, oldest=False, after=None):
        self.note, self.visit, self.oldest, self.after = note, note.encounter, oldest, after
        self.kinds = [kind for kind in KINDS if kind in kinds]
        self.corrections = list(
            note.corrections.select_related("author").defer(*note.TEXT_FIELDS).order_by("number")
        )

    def page(self) -> tuple[list[Event], bool]:
        """A page of events in order, and whether there are more."""
        told = {
            "visit": self._visit,
            "saves": self._saves,
            "versions": self._versions,
            "faults": self._faults,
        }
        events = [event for kind, tell in told.items() if kind in self.kinds for event in tell()]
        events += self._trail()
        if self.after:
            events = [event for event in events if self._is_behind(event.place)]
        events.sort(key=lambda event: event.place, reverse=not self.oldest)
        return with_arrivals(events[:PAGE]), len(events) > PAGE

    def _is_behind(self, place):
        return place > self.after if self.oldest else place < self.after

    def _cut(self, rows, column):
        """The next page of one kind. Of the moment of the last event all are taken again, and sorted out above."""
        if self.after:
            rows = rows.filter(**{f"{column}__{'gte' if self.oldest else 'lte'}": self.after[0]})
        return rows.order_by(column if self.oldest else f"-{column}")[: PAGE + 20]

    # What there is ------------------------------------------------------------------------------------------

    def _visit(self):
        visit, by = self.visit, self.visit.doctor
        known = [
            ("check-in", visit.arrived_at, visit.checked_in_by),
            ("start", visit.started_at, by),
            ("cancelled" if visit.status == EncounterStatus.CANCELLED else "finished", visit.finished_at,
             visit.cancelled_by or by),
        ]  # fmt: skip
        for number, (what, at, person) in enumerate(known):
            if at is not None:
                told = inquiry_words.of_visit(what, visit)
                yield Event(at, "visit", f"0{number}", person.name if person else "", told)

    def _saves(self):
        """By the minute, by who saved and in which draft."""
        groups = (
            Save.objects.filter(note=self.note)
            .annotate(minute=TruncMinute("saved_at"))
            .values("minute", "correction", "correction__number", "by", "by__name")
            .annotate(
                at=Max("saved_at"), count=Count("pk"), signs=Sum("characters"), first=Min("version"),
                last=Max("version"), thinned=Max("thinned_at"),
            )
        )  # fmt: skip
        for row in self._cut(groups, "at"):
            row["correction"] = row.pop("correction__number")
            words = inquiry_words.of_saves(row)
            yield Event(row["at"], "saves", f"5{row['last']:09d}", row["by__name"], words, row=row)

    def _versions(self):
        note = self.note
        if note.is_signed:
            yield Event(note.signed_at, "versions", "80", note.signer, inquiry_words.of_visit("signed", note))
        for row in self.corrections:
            ends = (("opened", row.opened_at), ("withdrawn", row.withdrawn_at), ("signed", row.signed_at))
            for what, at in ends:
                if at is not None:
                    words = inquiry_words.of_correction(f"correction-{what}", row)
                    yield Event(at, "versions", f"81{row.number:04d}{what}", row.author.name, words)
        reviews = NoteReview.objects.filter(note=note)
        for review in self._cut(reviews, "at") if note.is_signed else ():
            words = inquiry_words.of_review(review)
            yield Event(review.at, "versions", f"83{review.pk:09d}", review.reviewer_name, words)

    def _faults(self):
        rows = SaveFault.objects.filter(note=self.note).select_related("by")
        for fault in self._cut(rows, "at"):
            small = " · ".join(inquiry_words.fault_facts(fault))
            who = fault.by.name if fault.by else ""
            yield Event(
                fault.at, "faults", f"6{fault.pk:09d}", who, inquiry_words.of_fault(fault), small, fault
            )

    def _writers(self):
        days = (
            Save.objects.filter(note=self.note)
            .annotate(day=TruncDate("saved_at"))
            .values_list("by__username", "day")
            .distinct()
            .order_by("-day")[:DAYS]
        )
        wanted = set(days)
        if self.note.author is not None:
            begun = self.visit.started_at or self.visit.arrived_at
            wanted.add((self.note.author.username, timezone.localdate(begun)))
        either = Q(pk__in=[])
        for username, day in wanted:
            begin = timezone.make_aware(datetime.combine(day, time.min))
            either |= Q(username=username, at__gte=begin, at__lt=begin + timedelta(days=1))
        return either

    def _trail(self):
        """One query: each part by an index of its own, and at most a page of it."""
        acts = [act for kind, found in OF_TRAIL.items() if kind in self.kinds for act in found]
        parts = [self._cut(self._of_this_note(acts), "at")] if acts else []
        if "sign_ins" in self.kinds:
            rows = AuditEntry.objects.filter(self._writers(), act__in=SIGN_INS)
            parts.append(self._cut(rows, "at"))
        entries = parts[0].union(*parts[1:], all=True) if len(parts) > 1 else parts[0] if parts else ()
        kinds = {act: kind for kind, found in OF_TRAIL.items() for act in found}
        for entry in entries:
            if not (entry.act == Act.CHANGE and entry.reason == "start"):  # the visit's own row tells it
                yield _of_trail(entry, kinds.get(entry.act, "sign_ins"))

    def _of_this_note(self, acts):
        """By the index on residents: what was done to this visit, its note and its corrections."""
        people = {str(self.visit.resident.uuid), str(self.visit.resident.survivor.uuid)}
        rows = [self.visit, self.note, *self.corrections]
        return AuditEntry.objects.filter(
            resident__in=people, object_id__in=[str(row.uuid) for row in rows], act__in=acts,
            at__gte=self.visit.arrived_at - timedelta(days=1),
        )  # fmt: skip


def _of_trail(entry, kind):
    small = f"{entry.institution} {entry.address}".strip()
    return Event(entry.at, kind, f"3{entry.pk:012d}", entry.person, inquiry_words.of_trail(entry), small)


def with_arrivals(events) -> list[Event]:
    """``row.arrived`` of failed saves: the save that came in under the same key in the end, or None. One query."""
    faults = [event.row for event in events if event.kind == "faults"]
    keys = {fault.save_key for fault in faults} - {None}
    saves = Save.objects.filter(key__in=keys).defer("changes") if keys else []
    came = {(save.note_id, save.key): save for save in saves}
    for fault in faults:
        fault.arrived = came.get((fault.note_id, fault.save_key))
    return events


def minute(note, at) -> list:
    """The saves of the minute that holds ``at``, newest first, without their texts; at most 200. One query."""
    begin = at.replace(second=0, microsecond=0)
    rows = Save.objects.filter(note=note, saved_at__gte=begin, saved_at__lt=begin + timedelta(minutes=1))
    return labelled(rows.with_names().select_related("by").order_by("-version")[:200])


def labelled(saves) -> list:
    """``labels`` of each save (Save.with_names): its fields as people know them."""
    saves = list(saves)
    for save in saves:
        save.labels = inquiry_words.fields(save.names)
    return saves


def to_word(place) -> str:
    """The place of an event for an address: no word of a patient in it."""
    at, mark = place
    return f"{timezone.localtime(at).isoformat()}~{mark}"


def from_word(word):
    """(time, mark), or None where somebody made it up."""
    at, _tilde, mark = (word or "").replace(" ", "+").partition("~")
    try:
        found = parse_datetime(at)
    except ValueError:
        return None
    return (found, mark[:20]) if found is not None and timezone.is_aware(found) else None


def to_uuid(word):
    try:
        return uuid.UUID(word)
    except (ValueError, AttributeError, TypeError):
        return None


def link(path) -> str | None:
    """The inquiry's address for a page of a visit or of a correction (clinic.registry.inquiry_link)."""
    try:
        parts = resolve(path).kwargs
    except Resolver404:
        return None
    visit = parts.get("encounter")
    if visit is None and "correction" in parts:
        row = Correction.objects.filter(uuid=parts["correction"]).values_list("note__encounter__uuid")
        visit = next(iter(row), (None,))[0]
    return visit and reverse("inquiry", args=[visit])
