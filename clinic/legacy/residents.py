"""The old system's residents: all rows of a file or none, and a repeat does no harm."""

from pathlib import Path

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from simple_history.utils import bulk_create_with_history

from clinic import audit, identifiers
from clinic.codes import Act, IdType, Insurance, Marital, Occupation, Sex
from clinic.legacy.cells import CellError, Choice, limited, read_date, required, sentence_of, split
from clinic.legacy.table import BATCH, Report, batches, rows
from clinic.models import Allergy, Community, Institution, Resident

COLUMNS = {
    "source_id": ("原系统编号", "source id"),
    "name": ("姓名",),
    "sex": ("性别",),
    "birth_date": ("出生日期", "birth date", "出生年月日"),
    "id_type": ("证件类型", "id type"),
    "id_number": ("证件号码", "身份证号", "id number"),
    "record_number": ("健康档案编号", "档案编号", "record number"),
    "phone": ("联系电话", "电话", "手机"),
    "address": ("住址", "地址", "现住址"),
    "community": ("社区编码", "居委会编码"),
    "home": ("机构编码", "建档机构编码", "institution"),
    "marital": ("婚姻状况", "婚姻"),
    "occupation": ("职业",),
    "employer": ("工作单位",),
    "insurance": ("医保类型", "付费方式"),
    "allergies": ("药物过敏史", "过敏史"),
}
REQUIRED = ("source_id", "name")


def import_residents(path, *, institution=None, dry_run=False, by=None) -> Report:
    """Bring in the residents of one file; ``institution`` is the home where a row names none.

    A row whose number in the old system is known already is left alone, so a repeat does no harm. Any error
    in any row, and nothing is kept.
    """
    report = Report()
    with transaction.atomic():
        importer = Residents(report, institution)
        for batch in batches(rows(Path(path), COLUMNS, REQUIRED, report)):
            importer.take(batch)
        if report.made and not report.failed and not dry_run:
            audit.record(Act.IMPORT, by=by, reason="import_legacy", detail={"residents": report.made})
        transaction.set_rollback(dry_run or bool(report.failed))
    return report


class Residents:
    """Checks and stores batch after batch; memory does not grow with the file."""

    def __init__(self, report, institution):
        self.report, self.institution = report, institution
        self.homes = {row.code: row for row in Institution.objects.all()}
        self.communities = {row.code: row for row in Community.objects.all()}
        self.sex = Choice(Sex, 男=Sex.MALE, 女=Sex.FEMALE, m=Sex.MALE, f=Sex.FEMALE)
        self.id_type = Choice(
            IdType, 身份证=IdType.RESIDENT, 居民身份证=IdType.RESIDENT, 护照=IdType.PASSPORT
        )
        self.choices = {
            "marital": Choice(Marital),
            "occupation": Choice(Occupation),
            "insurance": Choice(Insurance),
        }

    def take(self, batch):
        known = self._known_sources(batch)
        people = []
        for number, row in batch:
            try:
                resident, allergies = self._read(row)
            except (CellError, ValidationError) as error:
                self.report.fail(number, sentence_of(error))
                continue
            key = (resident.home_id, resident.source_id)
            if key in known:
                self.report.known += 1
                continue
            known.add(key)
            people.append((number, resident, allergies))
        self._store(self._without_namesakes(people))

    def _known_sources(self, batch):
        numbers = {row.get("source_id", "") for _n, row in batch}
        return set(
            Resident.objects.filter(source_id__in=numbers).exclude(source_id="").values_list("home_id", "source_id")
        )  # fmt: skip

    def _read(self, row):
        resident = Resident(
            source_id=required(row, "source_id", 60, COLUMNS),
            name=required(row, "name", 60, COLUMNS),
            home=self._home(row),
            community=self._community(row),
            phone=self._phone(row),
            address=limited(row, "address", 200, COLUMNS),
            employer=limited(row, "employer", 100, COLUMNS),
            record_number=row.get("record_number") or None,
            **{name: read(row.get(name, ""), COLUMNS[name][0]) for name, read in self.choices.items()},
        )
        self._identity(resident, row)
        if resident.record_number:
            identifiers.validate_record_number(resident.record_number)
        resident.derive()
        allergies = [
            part
            for part in split(row.get("allergies", ""), ";；、，,\n")
            if part not in {"无", "否认", "不详"}
        ]
        for part in allergies:
            limited({"allergies": part}, "allergies", 60, COLUMNS)
        return resident, list(dict.fromkeys(allergies))

    def _identity(self, resident, row):
        number = identifiers.upgrade_15(identifiers.normalise_id(row.get("id_number", "")))
        given = self.id_type(row.get("id_type", ""), COLUMNS["id_type"][0])
        resident.id_type = given or (IdType.RESIDENT if number else IdType.NONE)
        resident.id_number = number
        limited({"id_number": number}, "id_number", 30, COLUMNS)
        identifiers.check_id(resident.id_type, number)
        told = identifiers.facts_of_id(resident.id_type, number)
        born = read_date(row["birth_date"]) if row.get("birth_date") else told and told[0]
        sex = self.sex(row.get("sex", ""), COLUMNS["sex"][0]) or (told and told[1])
        if not born:
            raise CellError(_("The birth date is missing, and no ID number tells it."))
        if told and (born, sex) != told:
            raise CellError(_("Birth date or sex differ from what the ID number says."))
        resident.birth_date, resident.sex = born, sex or Sex.UNSTATED

    def _phone(self, row):
        phone = identifiers.normalise_phone(row.get("phone", ""))
        return limited({"phone": phone}, "phone", 20, COLUMNS)

    def _home(self, row):
        code = row.get("home", "")
        home = self.homes.get(code) if code else self.institution
        if home is None:
            raise CellError(
                _("There is no institution with the code “%(code)s”.") % {"code": code[:30]}
                if code
                else _("The row names no institution.")
            )
        return home

    def _community(self, row):
        code = row.get("community", "")
        if code and code not in self.communities:
            raise CellError(_("There is no neighbourhood with the code “%(code)s”.") % {"code": code[:30]})
        return self.communities.get(code)

    def _without_namesakes(self, people):
        """Leave out who has an ID or record number that another row has.

        Somebody registered here before under the same name, at the same place, is the same person: that row
        takes the number of the old system over.
        """
        numbers = [resident.id_number for _n, resident, _a in people if resident.id_number]
        current = Resident.objects.current().filter(id_number__in=numbers)
        taken = {(row.id_type, row.id_number): row for row in current}
        files = [resident.record_number for _n, resident, _a in people if resident.record_number]
        taken_files = set(
            Resident.objects.filter(record_number__in=files).values_list("record_number", flat=True)
        )
        for number, resident, allergies in people:
            other = resident.id_number and taken.get((resident.id_type, resident.id_number))
            if other:
                self._adopt(number, resident, other)
            elif resident.record_number in taken_files:
                self.report.fail(number, _("This health-record number is in use already."))
            else:
                taken[resident.id_type, resident.id_number] = resident
                taken_files.add(resident.record_number or "")
                yield resident, allergies

    def _adopt(self, number, resident, other):
        same = (other.name, other.home_id, other.source_id) == (resident.name, resident.home_id, "")
        if not (same and other.pk):
            self.report.fail(number, _("A resident with this ID number is registered already."))
            return
        other.source_id = resident.source_id
        other.save(update_fields=["source_id"])
        self.report.known += 1

    def _store(self, people):
        people = list(people)
        made = bulk_create_with_history([resident for resident, _a in people], Resident, batch_size=BATCH)
        bulk_create_with_history(
            [
                Allergy(resident=resident, substance=substance)
                for resident, (_r, substances) in zip(made, people, strict=True)
                for substance in substances
            ],
            Allergy,
            batch_size=BATCH,
        )
        self.report.made += len(made)
