"""What a campaign would be, while it is written: segments, warnings, three real residents' texts, the audience's size,
the cost against the allowance. Nothing is kept."""

from dataclasses import dataclass, field

from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import identifiers
from clinic.errors import Refused
from clinic.models import Resident
from messaging import audiences, practice, quota, saving, texts
from messaging.codes import MessageState
from messaging.gateways import text

SAMPLES = 3
# So many residents' texts are counted; a million would take minutes, and the shares are the same.
COUNTED = 200


@dataclass(frozen=True)
class Sample:
    who: str
    text: str
    segments: int


@dataclass
class Look:
    """``stops``: sentences why it cannot be made like that; ``warnings``: what to think of. ``cost`` in segments is an
    estimate from a sample; ``free`` is None where the district keeps no allowance."""

    people: int = 0
    segments: int = 1
    signs: int = 0
    stops: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    saving: str = ""
    cost: int = 0
    free: int | None = None
    quiet: str = ""
    approval: str = ""


def look(*, institution, audience, purpose, body, send_at, quiet_override, by, now=None) -> Look:
    """Names of residents for whom may see them; for others three stand there masked."""
    now = now or timezone.now()
    choices = practice.of(institution)
    made = Look()
    try:
        source = audiences.source_of(audience)
        made.warnings = texts.check(body, purpose, given=source.variables)
        people = audiences.resolve(audience, institution)
    except Refused as refusal:
        made.stops.append(refusal.message)
        return made
    made.people = people.count()
    sample = list(people.select_related("home").order_by("pk")[:COUNTED])
    more = audiences.values(audience, [person.pk for person in sample])
    said = _texts(made, sample, body, choices.signature, more)
    if said:
        made.segments = max(map(text.count, said))
        made.signs = max(map(len, said))
        made.cost = sum(map(text.count, said)) * made.people // len(sample)
        made.saving = saving.advise(said, made.people)
    made.samples = _samples(sample, said, by)
    _allow(made, institution, choices, now)
    _clock(made, choices, send_at, quiet_override, now)
    return made


def before_release(campaign, by, now=None) -> dict:
    """The same of a campaign whose messages are made and not released: {"samples", "saving", "balance"}."""
    now = now or timezone.now()
    # In the order of the queue's index: by row number it would look through all campaigns before this one.
    queue = campaign.messages.filter(state=MessageState.QUEUED).order_by("carrier", "due_at", "pk")
    made = list(queue.select_related("resident")[:COUNTED])
    said = [message.text for message in made]
    allowance = quota.of(campaign.institution, quota.year_of(now))
    return {
        "samples": _samples([message.resident for message in made if message.resident], said, by),
        "saving": saving.advise(said, campaign.recipients),
        "balance": quota.balance(allowance) if allowance else None,
    }


def of_template(*, institution, body, purpose) -> Look | None:
    """Of a template, filled in for an invented person; None of nothing."""
    if not body.strip():
        return None
    made = Look()
    try:
        made.warnings = texts.check(body, purpose)
    except Refused as refusal:
        made.stops.append(refusal.message)
        return made
    whole = texts.render(body, practice.of(institution).signature, texts.example(institution))
    made.segments, made.signs = text.count(whole), len(whole)
    made.samples = [Sample(_("for example"), whole, made.segments)]
    return made


def _texts(made, sample, body, signature, more):
    """The texts as the handsets would show them; who has no value for a variable has none."""
    said, without = [], 0
    for person in sample:
        try:
            values = {**texts.values_of(person, person.home), **more.get(person.pk, {})}
            said.append(texts.render(body, signature, values))
        except KeyError:
            without += 1
            said.append("")
    if without:
        made.warnings.append(
            _("%(n)d of the first %(all)d residents have no value for a variable and are left out.")
            % {"n": without, "all": len(sample)}
        )
    if not sample:
        made.stops.append(_("Nobody is meant by this choice."))
    return said if any(said) else []


def _samples(sample, said, by):
    seen = set(
        Resident.objects.visible_to(by)
        .filter(pk__in=[row.pk for row in sample[:SAMPLES]])
        .values_list("pk", flat=True)
    )
    return [
        _sample(person, whole, person.pk in seen)
        for person, whole in zip(sample[:SAMPLES], said[:SAMPLES], strict=False)
        if whole
    ]


def _sample(person, whole, seen):
    if seen:
        return Sample(person.name, whole, text.count(whole))
    masked = identifiers.mask_name(person.name)
    return Sample(masked, whole.replace(person.name, masked), text.count(whole))


def _allow(made, institution, choices, now):
    if allowance := quota.of(institution, quota.year_of(now)):
        made.free = quota.balance(allowance).free
        if made.cost > made.free:
            made.warnings.append(_("The allowance is too small for this."))
    if made.people > choices.approval_above:
        made.approval = _("A second person approves it (more than %(n)d recipients).") % {
            "n": choices.approval_above
        }


def _clock(made, choices, send_at, quiet_override, now):
    begins = max(send_at or now, now)
    if not practice.is_quiet(choices, begins):
        return
    if quiet_override:
        made.quiet = _("It is sent in the quiet hours, for the reason given.")
        return
    allowed = timezone.localtime(practice.next_allowed(choices, begins))
    made.quiet = _("It begins at %(time)s, when the quiet hours end.") % {"time": f"{allowed:%m-%d %H:%M}"}
