"""Which lessons are a page's help, and their material in paragraphs and steps."""

import re

from django.urls import Resolver404, resolve

# What a test's form may send for an answer.
POSITIONS = frozenset(str(n) for n in range(20))
STEP = re.compile(r"[0-9]{1,2}[.、．] *(.+)")
# By the beginning of the name, where no lesson names the page itself.
FALLBACK = "start"


def name_of(path: str) -> str:
    """The name of a page's address; the desk's pages have one for each kind of row."""
    try:
        found = resolve(path)
    except Resolver404:
        return ""
    if found.app_name == "admin" or "admin" in found.namespaces:
        return re.sub(r"_(add|change|changelist|history|version)$", "", found.url_name or "index")
    return found.url_name or ""


def lessons_of(courses, page: str) -> list:
    """Those that name the page, else the general one. One query."""
    rows = list(courses.filter(pages__overlap=[page, FALLBACK]).order_by("code"))
    named = [row for row in rows if page in row.pages]
    return named or rows


def parts(material: str) -> list[tuple[str, list[str]]]:
    """[("p", [text]) or ("ol", steps)]: lines that begin with a number are steps."""
    found: list[tuple[str, list[str]]] = []
    for line in filter(None, (one.strip() for one in material.splitlines())):
        step = STEP.fullmatch(line)
        if step is None:
            found.append(("p", [line]))
        elif found and found[-1][0] == "ol":
            found[-1][1].append(step[1])
        else:
            found.append(("ol", [step[1]]))
    return found
