"""gunicorn's own log holds no query string and no exception's message."""

import logging
import runpy
import sys

import pytest

from clinic.postgres import PROJECT

CONFIG = runpy.run_path(str(PROJECT / "deploy" / "gunicorn.py"))


def logged(message, *arguments, exc_info=None):
    record = logging.LogRecord("gunicorn.error", logging.ERROR, "", 0, message, arguments, exc_info)
    CONFIG["NoQueries"]().filter(record)
    return logging.Formatter().format(record)


def test_no_access_log():
    assert CONFIG["accesslog"] is None
    assert CONFIG["logger_class"].__name__ == "QuietLogger"


@pytest.mark.parametrize("argument", ["/residents?q=张秀英", "'GET /?q=张秀英 HTTP/9.9'", "a?b\nq=张秀英"])
def test_a_line_ends_at_the_question_mark(argument):
    line = logged("Error handling request %s", argument)
    assert "张秀英" not in line
    assert line.startswith("Error handling request")


def test_an_exception_keeps_its_place_and_class_only():
    try:
        int("张秀英".join("xy"))
    except ValueError:
        line = logged("Failed", exc_info=sys.exc_info())
    assert "x张秀英y" not in line
    assert line.endswith("ValueError")
    assert "test_gunicorn.py" in line
