"""What tests of the record share."""

import uuid

import pytest

from tests import factories
from tests.emr.filings import SECRET, choose, opened, running_sandbox
from tests.factories import PASSWORD

COMPLETE = {
    "chief_complaint": "咳嗽3天",
    "present_illness": "3天前受凉后咳嗽，痰白。",
    "past_history": "否认高血压、糖尿病。",
    "signs": "咽部充血，双肺呼吸音清。",
    "examinations": "暂无",
    "treatment": "多饮水，休息。",
    "diagnoses": [
        {"system": "icd10", "release": "2.0", "code": "J06.900", "name": "急性上呼吸道感染",
         "certainty": "confirmed", "primary": True}
    ],
}  # fmt: skip


class Page:
    """What the chart's script does, against the real addresses."""

    def __init__(self, client, user, visit):
        self.client, self.visit = client, visit
        client.force_login(user)

    def save(self, changes, version=0, key=None):
        body = {"key": str(key or uuid.uuid4()), "version": version, "changes": changes}
        return self.client.post(f"/visits/{self.visit.uuid}/save", body, content_type="application/json")

    def sign(self, version=0, key=None, password=PASSWORD, **more):
        body = {"key": str(key or uuid.uuid4()), "version": version, "password": password, **more}
        return self.client.post(f"/visits/{self.visit.uuid}/sign", body, content_type="application/json")


@pytest.fixture
def charting(client, doctor, encounter):
    """The chart of the doctor's begun visit."""
    return Page(client, doctor, encounter)


@pytest.fixture
def as_user(client):
    """The chart as somebody else opens it."""
    return lambda user, visit: Page(client, user, visit)


@pytest.fixture
def another_visit(doctor, station):
    """A second begun visit of the same doctor."""
    return factories.encounter(factories.resident(station, name="刘建国"), doctor)


@pytest.fixture
def sandbox(settings):
    """Our pretended city insurance, over a real socket."""
    with running_sandbox() as service:
        settings.INSURANCE_SANDBOX_URL, settings.INSURANCE_SECRET = service.url, SECRET
        settings.INSURANCE_SECONDS = 0.4
        yield service


@pytest.fixture
def chosen(station, sandbox):
    """The station files through the sandbox."""
    return choose(station)


@pytest.fixture
def by_hand(doctor):
    """A filing that waits for a person."""
    return opened(doctor)
