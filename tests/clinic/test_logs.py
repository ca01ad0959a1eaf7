"""Logs help whoever operates the house and hold nothing about a patient."""

import json
import logging
import sys

import pytest
from django.db import IntegrityError
from django.urls import path
from django.utils import timezone

from clinic import permissions
from clinic.logs import JsonFormatter

SECRET = "张秀英110101195803070046"  # noqa: S105


@permissions.open_to_all
def failing(request):
    raise IntegrityError(f"Key (name)=({SECRET}) already exists.")


urlpatterns = [path("fails", failing)]


@pytest.fixture
def lines():
    """What would be on stdout, as written."""

    class Keep(logging.Handler):
        def __init__(self):
            super().__init__()
            self.setFormatter(JsonFormatter())
            self.lines = []

        def emit(self, record):
            self.lines.append(self.format(record))

    keep = Keep()
    logging.getLogger().addHandler(keep)
    yield keep.lines
    logging.getLogger().removeHandler(keep)


def test_a_request_is_one_json_line_with_its_id(client, lines):
    answer = client.get("/healthz")
    line = json.loads(lines[-1])
    assert (line["path"], line["status"], line["method"]) == ("/healthz", 200, "GET")
    assert line["request_id"] == answer["X-Request-ID"]


def test_the_query_string_is_never_logged(client, lines, db):
    client.get("/no-such-page", {"q": SECRET})
    assert lines
    assert SECRET not in "".join(lines)
    assert "110101195803070046" not in "".join(lines)


def test_what_is_posted_is_never_logged(client, lines, db):
    client.post("/no-such-page", {"name": SECRET})
    client.post("/no-such-page", json.dumps({"name": SECRET}), content_type="application/json")
    assert SECRET not in "".join(lines)


def test_an_errors_text_stays_out_and_its_place_goes_in(client, lines, settings):
    settings.ROOT_URLCONF = __name__
    client.raise_request_exception = False
    client.get("/fails")
    (line,) = [json.loads(text) for text in lines if '"error"' in text]
    assert line["error"] == "IntegrityError"
    assert any("failing" in place for place in line["where"])
    assert SECRET not in "".join(lines)


def test_arguments_of_a_message_stay_out():
    record = logging.LogRecord("x", logging.INFO, "f", 1, "saved %s", (SECRET,), None)
    assert SECRET not in JsonFormatter().format(record)


def test_which_job_failed_is_told():
    record = logging.LogRecord(
        "django_tasks", logging.ERROR, "f", 1, "Task path=%s", ("clinic.jobs.x",), None
    )
    assert "clinic.jobs.x" in JsonFormatter().format(record)


def test_a_chained_errors_text_stays_out():
    try:
        try:
            raise ValueError(SECRET)
        except ValueError as error:
            raise RuntimeError(SECRET) from error
    except RuntimeError:
        record = logging.LogRecord("x", logging.ERROR, "f", 1, "failed", (), sys.exc_info())
    assert SECRET not in JsonFormatter().format(record)


def test_times_are_utc_with_milliseconds():
    record = logging.LogRecord("x", logging.INFO, "f", 1, "m", (), None)
    stamp = timezone.datetime.fromisoformat(json.loads(JsonFormatter().format(record))["time"])
    assert stamp.utcoffset().total_seconds() == 0
