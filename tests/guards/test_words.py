"""The interface is Chinese to the last word: each string of the source has its translation, none is fuzzy,
and the compiled catalogue is the one of the text."""

import ast
import re

import polib
import pytest
from django.utils.translation.template import templatize

from tests.guards.test_gates import ROOT

CATALOGUE = ROOT / "clinic/locale/zh_Hans/LC_MESSAGES/django.po"
APPS = ("clinic", "emr", "messaging", "contracts", "maintenance")
SINGLE = {"_", "gettext", "gettext_lazy", "gettext_noop", "N_"}
PLURAL = {"ngettext", "ngettext_lazy"}
CONTEXT = {"pgettext", "pgettext_lazy"}
# After a context the text comes second.
CALL = re.compile(
    r"""\b(?:gettext\(|ngettext\(|pgettext\(u?'[^']*',\s*|pgettext\(u?"[^"]*",\s*)"""
    r"""u?(?P<q>['"])(?P<text>(?:\\.|(?!(?P=q)).)*)(?P=q)""",
    re.S,
)


@pytest.fixture(scope="module")
def catalogue():
    return polib.pofile(str(CATALOGUE))


def strings_of_code():
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            if "migrations" in path.parts:
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and (text := _text_of(node)):
                    yield str(path.relative_to(ROOT)), text


def _text_of(call):
    name = getattr(call.func, "id", getattr(call.func, "attr", ""))
    place = 1 if name in CONTEXT else 0 if name in SINGLE | PLURAL else None
    if place is None or len(call.args) <= place or not isinstance(call.args[place], ast.Constant):
        return None
    return call.args[place].value or None


def strings_of_templates():
    for path in sorted((ROOT / "templates").rglob("*.html")):
        for match in CALL.finditer(templatize(path.read_text(encoding="utf-8"), origin=str(path))):
            yield (
                str(path.relative_to(ROOT)),
                ast.literal_eval(f'"""{match["text"]}"""') if '"""' not in match["text"] else match["text"],
            )


def test_nothing_is_untranslated_or_fuzzy(catalogue):
    assert not [entry.msgid for entry in catalogue if not entry.translated() or "fuzzy" in entry.flags]


def test_every_string_of_the_source_is_in_the_catalogue(catalogue):
    known = {entry.msgid for entry in catalogue}
    missing = {
        text: where for where, text in [*strings_of_code(), *strings_of_templates()] if text not in known
    }
    assert not missing


def test_placeholders_survive_translation(catalogue):
    holes = re.compile(r"%\(\w+\)[sd]|%[sd]")
    wrong = []
    for entry in catalogue:
        for said in [entry.msgstr] if not entry.msgid_plural else entry.msgstr_plural.values():
            if set(holes.findall(said)) != set(holes.findall(entry.msgid_plural or entry.msgid)):
                wrong.append(entry.msgid)
    assert not wrong


def test_compiled_catalogue_is_the_text(catalogue):
    compiled = {
        (entry.msgctxt, entry.msgid): entry.msgstr or entry.msgstr_plural
        for entry in polib.mofile(str(CATALOGUE.with_suffix(".mo")))
    }
    assert compiled == {
        (entry.msgctxt, entry.msgid): entry.msgstr or entry.msgstr_plural for entry in catalogue
    }
