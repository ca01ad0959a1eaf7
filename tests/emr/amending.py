"""What tests of corrections share: a signed note, and the pages after it."""

import uuid

from emr.actions import change_requests, corrections
from emr.codes import ChangeKind
from emr.models import Correction, Note
from tests import factories
from tests.emr.conftest import COMPLETE, Page
from tests.factories import PASSWORD

CORRECT, UNDO = ChangeKind.CORRECT, ChangeKind.UNDO
REASON = "病程天数写错"


def signed_note(client, whom, doctor, **changes):
    """A note that the doctor charted and signed on the page."""
    page = Page(client, doctor, factories.encounter(whom, doctor))
    page.save({**COMPLETE, **changes})
    assert page.sign(version=1).status_code == 200
    return Note.objects.get(encounter=page.visit)


def begin(note, by, **facts):
    asked = {"reason": REASON, "kind": CORRECT, "key": uuid.uuid4(), **facts}
    return corrections.open_correction(note=note, by=by, **asked)


def save(correction, by, changes, **facts):
    given = {"key": uuid.uuid4(), "version": correction.version, **facts}
    return corrections.save_correction(correction=correction.uuid, changes=changes, by=by, **given)


def sign(correction, by, **facts):
    correction.refresh_from_db()
    given = {"key": uuid.uuid4(), "version": correction.version, **facts}
    return corrections.sign_correction(correction=correction.uuid, by=by, **given)


def corrected(note, by, changes, **facts):
    """A signed correction with these changes."""
    correction = begin(note, by, **facts)
    save(correction, by, changes)
    return sign(correction, by)


def ask(note, by, kind=CORRECT, **facts):
    asked = {"reason": "签名有误", "key": uuid.uuid4(), **facts}
    return change_requests.ask(note=note, by=by, kind=kind, **asked)


def allowed(note, by, manager, kind=CORRECT):
    """A request that the medical administration approved."""
    return change_requests.decide(change_request=ask(note, by, kind), by=manager, approve=True)


def made_void(note, by, manager):
    allowed(note, by, manager, UNDO)
    return sign(begin(note, by, kind=UNDO, void=True, reason="写错病人"), by)


class CorrectionPage:
    """What the chart's script does on the page of a correction."""

    def __init__(self, client, user, correction):
        self.client, self.at = client, f"/corrections/{correction.uuid}/"
        client.force_login(user)

    def post(self, name, **body):
        body = {"key": str(uuid.uuid4()), **body}
        return self.client.post(self.at + name, body, content_type="application/json")

    def save(self, changes, version, **more):
        return self.post("save", changes=changes, version=version, **more)

    def sign(self, version, password=PASSWORD, **more):
        return self.post("sign", version=version, password=password, **more)


def state(correction):
    return Correction.objects.filter(pk=correction.pk).values().get()
