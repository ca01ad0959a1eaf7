"""The doctor's day: who waits, who is on hold, who is done, and what is not signed yet."""

from datetime import timedelta

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.http import require_GET

from clinic import registry
from clinic.codes import Role
from clinic.permissions import ADMIN_ROLES, PAGE_ROLES, open_to_all, signed_in
from emr.after_visits import lists as after_visit_list
from emr.codes import EncounterStatus
from emr.models import Correction, Encounter, InsuranceFiling, Note
from emr.referring import lists as referral_lists

STOP_POLLING = 286  # htmx's own code
SHOWN = 100
# The badge on the first page counts by index; the page of reviews lists older ones too.
REVIEW_COUNTED = timedelta(days=90)
# Lists name people; the notes' text stays in the database.
NAMED = ("uuid", "signed_at", "encounter__uuid", "encounter__arrived_at", "encounter__resident__name")


@signed_in
@require_GET
def home(request):
    """The first page of a role: the doctors' day, the nurse's, the station desk, or a word on what there is."""
    user = request.user
    if user.role in ADMIN_ROLES:
        return redirect("admin:index")
    if user.role in registry.first_pages:
        return redirect(registry.first_pages[user.role])
    if user.role not in PAGE_ROLES:
        return render(request, "emr/nothing.html")
    if user.role == Role.NURSE:
        return render(request, "emr/nurse.html", day_of(user))
    return render(request, "emr/home.html", {**day_of(user), "duties": duties_of(user)})


@open_to_all
@require_GET
def waiting(request):
    """The lists alone, asked for every 20 s. It answers a signed-out page with a sentence and an end to asking:
    a redirect would put the sign-in page into the list."""
    user = request.user
    if not (user.is_authenticated and user.has_perm("emr.view_encounter") and user.role in PAGE_ROLES):
        return HttpResponse(render_to_string("emr/_signed_out.html", {}, request), status=STOP_POLLING)
    return render(request, "emr/_waiting.html", day_of(user))


def day_of(user):
    """Open visits of any day and today's finished ones, in the user's own institution."""
    now = timezone.now()
    here = Encounter.objects.in_scope(user).select_related("resident", "doctor").with_vitals_taken()
    still_open = list(here.open().order_by("arrived_at")[: SHOWN * 2])
    for visit in still_open:
        visit.minutes = visit.waiting_minutes(now)
        visit.mine = visit.doctor_id == user.pk
    done = here.finished_on(timezone.localdate())
    if user.role != Role.NURSE:
        done = done.filter(doctor=user)
    return {
        "waiting": [visit for visit in still_open if visit.status == EncounterStatus.WAITING],
        "begun": [visit for visit in still_open if visit.status == EncounterStatus.IN_PROGRESS],
        "held": [visit for visit in still_open if visit.status == EncounterStatus.ON_HOLD],
        "done": list(done.order_by("-finished_at")[:SHOWN]),
        "now": now,
    }


def duties_of(user):
    """What is left over: own notes without a signature from any day, and assistants' notes to review."""
    unsigned = (
        Note.objects.visible_to(user)
        .unsigned_by(user)
        .select_related("encounter__resident")
        .only(*NAMED)
        .order_by("encounter__arrived_at")
    )
    own = (
        Note.objects.visible_to(user)
        .filter(author=user, needs_review=True)
        .select_related("encounter__resident")
        .only(*NAMED)
    )
    to_review = Note.objects.visible_to(user).awaiting_review().exclude(author=user)
    recent = to_review.filter(signed_at__gte=timezone.now() - REVIEW_COUNTED)
    return {
        "unsigned": list(unsigned[:SHOWN]),
        "corrections": list(Correction.objects.visible_to(user).open_of(user)[:SHOWN]),
        "referrals": referral_lists.count_to_receive(user, timezone.localdate()),
        "to_review": recent.count() if user.has_perm("emr.review_note") else 0,
        "after_visit": after_visit_list.count_open(user),
        "filings": InsuranceFiling.objects.visible_to(user).for_people().count(),
        "returned": list(own.returned()[:SHOWN]) if user.role == Role.ASSISTANT else [],
    }
