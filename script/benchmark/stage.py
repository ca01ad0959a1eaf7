"""Who measures: doctors with sessions, residents with long files, drafts to save and notes to sign."""

import os
import random
import time
import uuid
from datetime import timedelta

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db.models import Count, Q
from django.middleware.csrf import _get_new_csrf_string
from django.utils import timezone
from django.utils.functional import cached_property

from benchmark.browser import Browser
from clinic.codes import Role
from clinic.models import Resident, User
from contracts.codes import ALIVE, TeamRole
from contracts.models import Team, TeamMember
from emr.actions import drafts
from emr.codes import EncounterStatus
from emr.models import Correction, Encounter, Note, Save
from emr.seeding.demo import release_name
from emr.seeding.stories import STORIES, note_fields

CLIENTS = 8
PASSWORD = "Bench-password-1"  # noqa: S105


class Stage:
    def __init__(self):
        self.rng = random.Random(1)
        self.port = int(os.environ["PORT"])
        self.station = User.objects.get(username="doctor").institution
        self.release = release_name()
        self.doctors = [self.doctor(number) for number in range(CLIENTS)]
        self.residents = iter(())
        self.sample = list(self.idle()[:200])

    def idle(self):
        """Residents of the station without an open visit."""
        busy = Encounter.objects.open().values("resident")
        return Resident.objects.filter(home=self.station).exclude(pk__in=busy).order_by("-pk")

    def resident(self):
        """One after the other; whose visit is signed may come again."""
        who = next(self.residents, None)
        if who is None:
            self.residents = iter(list(self.idle()[:400]))
            who = next(self.residents)
        return who

    def doctor(self, number):
        user, _new = User.objects.get_or_create(
            username=f"bench{number}",
            defaults={
                "name": f"测速{number}", "role": Role.DOCTOR, "institution": self.station, "title": "医师",
                "must_change_password": False,
            },
        )  # fmt: skip
        user.set_password(PASSWORD)
        user.password_changed_at = timezone.now()
        user.save()
        return user

    def team(self):
        """The doctors, members of the team that looks after the most residents; the district's seed makes it."""
        load = Count("agreements", filter=Q(agreements__state__in=ALIVE))
        team = Team.objects.filter(institution=self.station).annotate(load=load).order_by("-load").first()
        for doctor in self.doctors:
            TeamMember.objects.get_or_create(
                team=team, person=doctor, defaults={"role": TeamRole.DOCTOR, "since": timezone.localdate()}
            )
        return self.doctors

    @cached_property
    def office(self):
        return User.objects.filter(role=Role.DISTRICT).first()

    def browser(self, user):
        session = SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[-1]
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session["active_at"] = int(time.time())
        session.create()
        return Browser(self.port, session.session_key, _get_new_csrf_string())

    def visit(self, doctor, resident=None):
        """A begun visit with a complete draft."""
        resident = resident or self.resident()
        now = timezone.now()
        encounter = Encounter.objects.create(
            resident=resident, institution=self.station, doctor=doctor, status=EncounterStatus.IN_PROGRESS,
            arrived_at=now - timedelta(minutes=9), started_at=now, key=uuid.uuid4(),
        )  # fmt: skip
        note = Note(
            encounter=encounter,
            author=doctor,
            **note_fields(self.rng.choice(STORIES), self.rng, self.release),
        )
        note.skip_history_when_saving = True
        note.save()
        return encounter

    def much_saved(self, doctor, saves):
        """A begun visit whose draft has so many saves, one every two seconds."""
        visit, now = self.visit(doctor), timezone.now()
        changes = {"present_illness": "咳嗽咳痰三天，夜间明显，无发热。"}
        Save.objects.bulk_create(
            Save(
                key=uuid.uuid4(), note=visit.note, by=doctor, version=number, changes=changes,
                characters=drafts.count_characters(changes), sha256=drafts.fingerprint(changes),
                saved_at=now - timedelta(seconds=2 * (saves - number)),
            )
            for number in range(1, saves + 1)
        )  # fmt: skip
        return visit

    def much_corrected(self, doctor, times):
        """A signed visit whose note was corrected so many times."""
        visit = self.visit(doctor)
        self.sign(visit.note)
        for number in range(1, times + 1):
            text = {name: getattr(visit.note, name) for name in Note.DRAFT_FIELDS}
            self.sign(Correction.objects.create(
                note=visit.note, number=number, author=doctor, reason="修正", key=uuid.uuid4(),
                **{**text, "present_illness": f"{number}天前受凉后咳嗽，夜间明显，无发热。"},
            ))  # fmt: skip
        return visit

    def sign(self, text):
        text.signed_at, text.signed_by, text.signer = timezone.now(), text.author, text.author.name
        text.save()

    def long_file(self, resident, visits):
        """Give a resident as many past visits as nobody has: the page must not care."""
        when = timezone.now()
        made = Encounter.objects.bulk_create(
            Encounter(
                resident=resident, institution=self.station, doctor=self.doctors[0], status=EncounterStatus.FINISHED,
                arrived_at=when - timedelta(days=number + 1), started_at=when - timedelta(days=number + 1),
                finished_at=when - timedelta(days=number + 1),
            )
            for number in range(visits)
        )  # fmt: skip
        Note.objects.bulk_create(
            Note(
                encounter=encounter, author=self.doctors[0], imported=True,
                **note_fields(self.rng.choice(STORIES), self.rng, self.release),
            )
            for encounter in made
        )  # fmt: skip
        return resident
