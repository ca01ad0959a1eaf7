"""The old system's visits: finished, read-only, marked as taken over, and without a signature of ours."""

from pathlib import Path

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import audit
from clinic.codes import Act
from clinic.legacy.cells import CellError, Choice, limited, read_moment, required, split
from clinic.legacy.table import BATCH, Report, batches, rows
from clinic.models import Institution, Resident
from emr.codes import Certainty, EncounterStatus, System, VisitKind
from emr.models import Diagnosis, Encounter, Note

COLUMNS = {
    "source_id": ("就诊编号", "原系统就诊编号", "source id"),
    "resident": ("原系统居民编号", "原系统编号", "居民编号", "resident source id"),
    "at": ("就诊时间", "就诊日期", "visit time"),
    "institution": ("机构编码", "就诊机构编码"),
    "department": ("科室", "科别"),
    "doctor": ("医生", "接诊医生", "医师"),
    "visit_kind": ("初复诊", "就诊类型", "visit kind"),
    "chief_complaint": ("主诉", "chief complaint"),
    "present_illness": ("现病史", "present illness"),
    "past_history": ("既往史", "past history"),
    "signs": ("体征", "查体"),
    "examinations": ("辅助检查",),
    "treatment": ("处理", "治疗意见", "处置"),
    "medicines": ("处方", "用药"),
    "codes": ("诊断编码", "diagnosis codes"),
    "diagnoses": ("诊断", "诊断名称", "diagnosis"),
}
REQUIRED = ("source_id", "resident", "at")
TEXT_LENGTH = 20_000
MOST_DIAGNOSES = 30


def import_visits(path, *, institution=None, dry_run=False, by=None) -> Report:
    """Bring in the visits of one file; ``institution`` is the place where a row names none.

    A visit whose number in the old system is known already is left alone. Any error in any row, and
    nothing is kept.
    """
    report = Report()
    with transaction.atomic():
        importer = Visits(report, institution)
        for batch in batches(rows(Path(path), COLUMNS, REQUIRED, report)):
            importer.take(batch)
        if report.made and not report.failed and not dry_run:
            audit.record(Act.IMPORT, by=by, reason="import_legacy", detail={"visits": report.made})
        transaction.set_rollback(dry_run or bool(report.failed))
    return report


class Visits:
    """Checks and stores batch after batch; memory does not grow with the file."""

    def __init__(self, report, institution):
        self.report, self.institution = report, institution
        self.places = {row.code: row for row in Institution.objects.all()}
        self.kind = Choice(VisitKind, 初诊=VisitKind.FIRST, 复诊=VisitKind.RETURN, 急诊=VisitKind.EMERGENCY)

    def take(self, batch):
        known, people = self._known_sources(batch), self._people(batch)
        visits = []
        for number, row in batch:
            try:
                encounter, note = self._read(row, people)
            except CellError as error:
                self.report.fail(number, str(error))
                continue
            key = (encounter.institution_id, encounter.source_id)
            if key in known:
                self.report.known += 1
            else:
                known.add(key)
                visits.append((encounter, note))
        self._store(visits)

    def _known_sources(self, batch):
        numbers = {row.get("source_id", "") for _n, row in batch}
        return set(
            Encounter.objects.filter(source_id__in=numbers)
            .exclude(source_id="")
            .values_list("institution_id", "source_id")
        )

    def _people(self, batch):
        """{number in the old system: {home: resident's row number}}"""
        numbers = {row["resident"] for _n, row in batch if row.get("resident")}
        people = {}
        for pk, home, source in Resident.objects.filter(source_id__in=numbers).values_list(
            "pk", "home_id", "source_id"
        ):
            people.setdefault(source, {})[home] = pk
        return people

    def _read(self, row, people):
        source = required(row, "source_id", 60, COLUMNS)
        at = read_moment(required(row, "at", 40, COLUMNS))
        place = self._place(row)
        encounter = Encounter(
            resident_id=self._resident(row, place, people), institution=place, source_id=source, imported=True,
            status=EncounterStatus.FINISHED, arrived_at=at, started_at=at, finished_at=at,
            department=limited(row, "department", 30, COLUMNS) or "全科",
        )  # fmt: skip
        return encounter, self._note(row, encounter)

    def _note(self, row, encounter):
        texts = {name: limited(row, name, TEXT_LENGTH, COLUMNS) for name in Note.TEXT_FIELDS}
        if medicines := limited(row, "medicines", TEXT_LENGTH, COLUMNS):
            texts["treatment"] = "\n".join(filter(None, [texts["treatment"], medicines]))
        return Note(
            encounter=encounter, imported=True, imported_doctor=limited(row, "doctor", 60, COLUMNS),
            visit_kind=self.kind(row.get("visit_kind", ""), COLUMNS["visit_kind"][0]) or VisitKind.FIRST,
            diagnoses=read_diagnoses(row), saved_at=timezone.now(), **texts,
        )  # fmt: skip

    def _place(self, row):
        code = row.get("institution", "")
        place = self.places.get(code) if code else self.institution
        if place is None:
            raise CellError(
                _("There is no institution with the code “%(code)s”.") % {"code": code[:30]}
                if code
                else _("The row names no institution.")
            )
        return place

    def _resident(self, row, place, people):
        source = required(row, "resident", 60, COLUMNS)
        homes = people.get(source, {})
        if place.pk in homes:
            return homes[place.pk]
        if len(homes) == 1:
            return next(iter(homes.values()))
        raise CellError(
            _("Several residents have the number %(number)s in the old system.") % {"number": source}
            if homes
            else _("No resident with the number %(number)s was taken over.") % {"number": source}
        )

    def _store(self, visits):
        # No history rows: what is taken over never changes, so the row is its own history.
        Encounter.objects.bulk_create([encounter for encounter, _note in visits], batch_size=BATCH)
        notes = Note.objects.bulk_create([note for _encounter, note in visits], batch_size=BATCH)
        Diagnosis.objects.bulk_create(
            [
                Diagnosis(note=note, resident_id=note.encounter.resident_id, position=position, **line)
                for note in notes
                for position, line in enumerate(note.diagnoses, start=1)
            ],
            batch_size=BATCH,
        )
        self.report.made += len(notes)


def read_diagnoses(row):
    """Lines of a note, the first one primary. Codes and names stand in the same order, parted by semicolons;
    they are kept as the old system had them."""
    names = split(limited(row, "diagnoses", TEXT_LENGTH, COLUMNS))
    codes = split(limited(row, "codes", TEXT_LENGTH, COLUMNS))
    if codes and len(codes) != len(names):
        raise CellError(
            _("There are %(codes)d diagnosis codes for %(names)d names.")
            % {"codes": len(codes), "names": len(names)}
        )
    if len(names) > MOST_DIAGNOSES:
        raise CellError(_("A visit has at most %(count)d diagnoses.") % {"count": MOST_DIAGNOSES})
    return [
        _line(name, code, position)
        for position, (name, code) in enumerate(zip(names, codes or [""] * len(names), strict=True))
    ]


def _line(name, code, position):
    limited({"diagnoses": name}, "diagnoses", 200, COLUMNS)
    limited({"codes": code}, "codes", 30, COLUMNS)
    suspected = name.endswith(("?", "？"))
    return {
        "system": System.ICD10.value if code else "", "release": "", "code": code, "name": name,
        "certainty": (Certainty.SUSPECTED if suspected else Certainty.CONFIRMED).value, "primary": position == 0,
    }  # fmt: skip
