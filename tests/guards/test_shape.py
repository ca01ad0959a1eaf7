"""The layout tells where a line lives; these keep it so."""

import re

import pytest

from tests.guards.test_gates import ROOT
from tests.guards.test_words import APPS

CODE = sorted(path for app in APPS for path in (ROOT / app).rglob("*.py") if "migrations" not in path.parts)
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))


def short(path):
    return str(path.relative_to(ROOT))


def test_no_room_for_odds_and_ends():
    assert not [
        short(path) for path in CODE if path.name in {"utils.py", "helpers.py", "services.py", "misc.py"}
    ]


@pytest.mark.parametrize("path", CODE, ids=short)
def test_file_is_not_past_its_ceiling(path):
    assert path.read_text(encoding="utf-8").count("\n") <= 400


def test_no_signals():
    signal = re.compile(r"@receiver|\b(post|pre)_(save|delete|init)\b|m2m_changed")
    assert not [short(path) for path in CODE if signal.search(path.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("path", TEMPLATES, ids=short)
def test_template_obeys_the_content_policy(path):
    """No inline script, style or handler: the policy forbids them and the page would lie dead."""
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>|<style|\sstyle=|\son\w+=|javascript:|\|safe\b", text)


def test_nobody_reaches_out():
    """Clinics sit in a closed network: no page names another host."""
    outside = re.compile(r"""(?:src|href|action)=["'](?:https?:)?//""")
    assert not [short(path) for path in TEMPLATES if outside.search(path.read_text(encoding="utf-8"))]
