"""Writing how an institution works (emr.practice)."""

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from clinic import audit
from clinic.codes import Act
from clinic.errors import Forbidden, Refused
from emr.codes import InsuranceWay, Prompt
from emr.models import Practice
from emr.practice import FOLDING


def keep(*, institution, insurance, prompts, unfolded, by, request=None):
    """Write the choices of one institution; return its Practice, made if there was none.

    ``insurance`` "" , a prompt that is not named and no field at all mean: as the institution above. Refused
    code "choice" for what is none; Forbidden outside one's reach.
    """
    _check(insurance, prompts, unfolded)
    if not by.has_perm("emr.change_practice") or not institution.path.startswith(by.institution.path):
        raise Forbidden(_("This institution is not within your reach."), code="elsewhere")
    with transaction.atomic():
        row = Practice.objects.select_for_update().filter(institution=institution).first()
        new = row is None
        row = row or Practice(institution=institution)
        wanted = {"insurance": insurance, "prompts": prompts, "unfolded": unfolded}
        changed = [name for name, value in wanted.items() if new or getattr(row, name) != value]
        for name, value in wanted.items():
            setattr(row, name, value)
        if changed:
            _save(row, new)
            audit.record(
                Act.CREATE if new else Act.CHANGE, by=by, request=request, obj=row,
                detail={"fields": changed, "institution": institution.code},
            )  # fmt: skip
        return row


def _save(row, new):
    try:
        with transaction.atomic():
            row.save(force_insert=new)
    except IntegrityError as error:  # somebody made it between our look and our write
        raise Refused(
            _("Somebody has just set this up. Please load the page again."), code="taken"
        ) from error


def _check(insurance, prompts, unfolded):
    fits = (
        insurance in {"", *InsuranceWay.values}
        and isinstance(prompts, dict)
        and all(name in Prompt.values and isinstance(on, bool) for name, on in prompts.items())
        and isinstance(unfolded, list)
        and set(unfolded) <= set(FOLDING)
    )
    if not fits:
        raise Refused(_("Please choose from what is offered."), code="choice")
