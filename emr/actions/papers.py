"""Sealing a copy, unsealing it, handing a copy out (电子病历应用管理规范 art. 21, 23-25; rules B2.5, B2.6)."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from clinic import audit, identifiers
from clinic.actions.residents.locking import filled
from clinic.codes import Act, IdType, LifeState
from clinic.errors import Conflict, Forbidden, Refused
from clinic.models import Resident
from clinic.text import is_storable
from emr import papers, printing
from emr.codes import Relation
from emr.models import CopyIssue, SealedCopy
from emr.papers import Person, sheets
from emr.sealing import keys

SEALED, COPIED = "FC", "FZ"  # 封存, 复制: how their numbers begin
WITHOUT_NUMBER = frozenset({IdType.NEWBORN, IdType.NONE})


def seal_copy(
    *, resident, visits, hospital_party, patient, reason, medium, location, key, by, seen="", request=None
):
    """Seal a copy of these visits (uuids) with both parties present; return the SealedCopy.

    ``patient`` is a papers.Person; ``seen`` the fingerprint of what the parties were shown. Unfinished notes are
    sealed as they stand. Raises Forbidden code "role", Refused with ``field``, Conflict code "changed" when the
    record moved on since it was shown.
    """
    given = {
        "hospital_party": _filled(hospital_party, "hospital_party", 60),
        "patient_party": _filled(patient.name, "patient_party", 60),
        **_who(patient, resident),
        "reason": _filled(reason, "reason", 200),
        "medium": _filled(medium, "medium", 60),
        "location": _filled(location, "location", 100),
    }  # fmt: skip
    return _once(lambda: _seal(_Asked(resident, visits, key, by, request), given, seen), SealedCopy, key)


def unseal(*, sealed, hospital_party, patient_party, reason, by, request=None):
    """Open a sealed copy, once, with both parties present; return it. What was sealed stays as it is."""
    if not by.has_perm("emr.change_sealedcopy"):
        raise _not_yours()
    given = {
        "unseal_hospital_party": _filled(hospital_party, "hospital_party", 60),
        "unseal_patient_party": _filled(patient_party, "patient_party", 60),
        "unseal_reason": _filled(reason, "reason", 200),
    }
    with transaction.atomic():
        row = (
            SealedCopy.objects.visible_to(by)
            .select_for_update(of=("self",))
            .select_related("resident__home")
            .get(pk=sealed.pk)
        )
        if not row.is_sealed:
            raise Conflict(_("This copy was unsealed already."), code="unsealed")
        for name, value in given.items():
            setattr(row, name, value)
        row.unsealed_at, row.unsealed_by = timezone.now(), by
        row.save(update_fields=[*given, "unsealed_at", "unsealed_by"])
        audit.record(
            Act.UNSEAL, by=by, request=request, resident=row.resident, obj=row, reason=row.unseal_reason,
            detail={"number": row.number},
        )  # fmt: skip
        return row


def issue_copy(*, resident, visits, applicant, purpose, paper, key, by, stamped_by="", request=None):
    """Hand out a copy of these visits (uuids) to a papers.Person; return the CopyIssue. Signed and imported
    notes only: Refused code "draft"."""
    if paper not in printing.PAPERS:
        raise Refused(_("There is A5 and A4 paper only."), code="paper", field="paper")
    stamped_by = " ".join(stamped_by.split()) and _filled(stamped_by, "stamped_by", 60)
    given = {
        "applicant": _filled(applicant.name, "applicant", 60),
        **_who(applicant, resident),
        "purpose": _filled(purpose, "purpose", 100),
        "paper": paper,
        "stamped_by": stamped_by,
    }  # fmt: skip
    return _once(lambda: _issue(_Asked(resident, visits, key, by, request), given), CopyIssue, key)


class _Asked:
    """Who asks for which visits of whom: the same for both papers."""

    def __init__(self, resident, visits, key, by, request):
        self.resident, self.key, self.by, self.request = resident, key, by, request
        self.visits = {str(visit) for visit in visits}

    def person(self, perm):
        """The resident's locked row. A hidden one is Resident.DoesNotExist."""
        if not self.by.has_perm(perm):
            raise _not_yours()
        rows = Resident.objects.visible_to(self.by).select_for_update(of=("self",), no_key=True)
        row = rows.select_related("home").get(pk=self.resident.pk)
        if row.merged_into_id:
            raise Conflict(_("This row was merged into another one. Please open that one."), code="merged")
        return row

    def again(self, model, given):
        """The row that this key made before, if it was asked for with the same words."""
        row = model.objects.filter(key=self.key).first()
        if row is None:
            return None
        maker = row.sealed_by_id if model is SealedCopy else row.issued_by_id
        same = (
            maker == self.by.pk
            and self.resident.pk == row.resident_id
            and {item["visit"] for item in row.items} == self.visits
            and all(getattr(row, name) == value for name, value in given.items())
        )
        if not same:
            raise _other_key()
        return row

    def chosen(self, person):
        """The visits, locked with their notes, so that nobody writes between two looks at them."""
        if not self.visits:
            raise Refused(_("Please choose at least one visit."), code="visits", field="visits")
        if len(self.visits) > papers.LIMIT:
            words = {"n": papers.LIMIT}
            raise Refused(_("At most %(n)d visits in one copy.") % words, code="visits", field="visits")
        rows = papers.kept_here(self.by, person).filter(uuid__in=self.visits)
        found = list(rows.select_for_update(of=("self", "note"), no_key=True).order_by("pk"))
        if len(found) != len(self.visits):
            raise Refused(
                _("Not all of the chosen visits are this resident's and kept here."),
                code="visits",
                field="visits",
            )
        return found


def _seal(asked, given, seen):
    person = asked.person("emr.add_sealedcopy")
    if again := asked.again(SealedCopy, given):
        return again
    visits = asked.chosen(person)
    record = papers.record(visits, unfinished=True)
    if seen and papers.digest(papers.canonical(record)) != seen:
        raise Conflict(
            _("The record has changed since it was shown. Please look at it once more."), code="changed"
        )
    now, by = timezone.now(), asked.by
    number = papers.take_number(SealedCopy, SEALED, timezone.localdate(now))
    content = papers.canonical(
        papers.document(
            "sealed-copy", number=number, made_at=now, by=by, resident=person, occasion=given, visits=record
        )
    )
    key_id, signature = keys.sign(content.encode())
    row = SealedCopy(
        number=number, key=asked.key, resident=person, institution=by.institution, sealed_at=now, sealed_by=by,
        items=papers.items(record), content=content, sha256=papers.digest(content), key_id=key_id,
        signature=signature, **given,
    )  # fmt: skip
    row.save(force_insert=True)
    audit.record(
        Act.SEAL_COPY, by=by, request=asked.request, resident=person, obj=row, reason=row.reason,
        detail={"number": number, "visits": len(visits), "sha256": row.sha256},
    )  # fmt: skip
    return row


def _issue(asked, given):
    person = asked.person("emr.add_copyissue")
    if again := asked.again(CopyIssue, given):
        return again
    visits = asked.chosen(person)
    if not all(papers.may_be_copied(visit) for visit in visits):
        raise Refused(_("Only signed notes can be copied."), code="draft", field="visits")
    record = papers.record(visits, unfinished=False)
    now, by = timezone.now(), asked.by
    row = CopyIssue(
        number=papers.take_number(CopyIssue, COPIED, timezone.localdate(now)), key=asked.key, resident=person,
        institution=by.institution, issued_by=by, issued_at=now, scope=_scope(visits), items=papers.items(record), **given,
    )  # fmt: skip
    row.pages = len(sheets.of_copy(row, visits))
    row.content = papers.canonical(
        papers.document(
            "copy", number=row.number, made_at=now, by=by, resident=person, visits=record,
            occasion={**given, "scope": row.scope, "pages": row.pages},
        )
    )  # fmt: skip
    row.sha256 = papers.digest(row.content)
    row.save(force_insert=True)
    audit.record(
        Act.COPY, by=by, request=asked.request, resident=person, obj=row,
        detail={"number": row.number, "visits": len(visits), "pages": row.pages, "sha256": row.sha256},
    )  # fmt: skip
    return row


def _scope(visits):
    """In the register's own language, whatever the page speaks."""
    days = sorted(timezone.localdate(visit.arrived_at) for visit in visits)
    with translation.override(settings.LANGUAGE_CODE):
        return _("Outpatient records of %(n)d visits, %(first)s to %(last)s") % {
            "n": len(days), "first": days[0].isoformat(), "last": days[-1].isoformat(),
        }  # fmt: skip


def _once(act, model, key):
    """Run it in a transaction. A key that went to another row between looking and writing is refused."""
    try:
        with transaction.atomic():
            return act()
    except IntegrityError as error:
        if model.objects.filter(key=key).exists():
            raise _other_key() from error
        raise


def _filled(text, field, limit):
    if not is_storable(text or ""):
        raise Refused(_("This text holds signs that cannot be stored."), code="form", field=field)
    return filled(text, field, limit)


def _who(person: Person, resident):
    """Relation and papers of a party, checked (医疗机构病历管理规定 art. 17, 18)."""
    if person.relation not in Relation.values:
        raise Refused(_("Please choose the relation to the patient."), code="relation", field="relation")
    if person.id_type not in IdType.values:
        raise Refused(_("Please choose the kind of papers."), code="id_type", field="id_type")
    number = identifiers.normalise_id(person.id_number)
    if not number and person.id_type not in WITHOUT_NUMBER:
        raise Refused(_("Please fill this in."), code="empty", field="id_number")
    number = number and _filled(number, "id_number", 30)
    try:
        identifiers.check_id(person.id_type, number)
    except ValidationError as error:
        raise Refused(error.messages[0], code=error.code, field="id_number") from error
    if person.relation == Relation.SELF and resident.life_state == LifeState.DECEASED:
        raise Refused(_("This resident is registered as deceased."), code="deceased", field="relation")
    own = person.relation == Relation.SELF and person.id_type == resident.id_type
    if own and resident.id_number and number != resident.id_number:
        raise Refused(_("This is not the resident's own ID number."), code="not-own", field="id_number")
    return {"relation": person.relation, "id_type": person.id_type, "id_number": number}


def _not_yours():
    return Forbidden(_("Your role does not allow this."), code="role")


def _other_key():
    return Refused(_("This request carries the key of another one. Please load the page again."), code="key")
