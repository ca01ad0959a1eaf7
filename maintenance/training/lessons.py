"""The short lessons that come with the product, as files beside this one; a district edits them at the desk, and what it edited
stays.

A file: lines "name:", "roles:", "pages:", "minutes:", then the material after an empty line; questions at its end begin with "?",
their answers with "-", right ones with "+"."""

from dataclasses import dataclass, field
from pathlib import Path

from clinic.codes import Role
from maintenance.codes import CourseWay
from maintenance.models import Course, Question

FOLDER = Path(__file__).parent / "lessons"
PASS_AT = 60
# Whom "all" means: everybody who signs in.
PEOPLE = [role for role in Role.values if role != Role.INTEGRATOR]


@dataclass
class Lesson:
    """``questions``: [(words, answers, positions of the right ones)]."""

    code: str
    name: str
    roles: list[str]
    pages: list[str]
    minutes: int
    material: str
    questions: list = field(default_factory=list)


def read(path: Path) -> Lesson:
    head, _empty, body = path.read_text(encoding="utf-8").partition("\n\n")
    facts = dict(line.split(":", 1) for line in head.splitlines())
    told, questions = [], []
    for line in body.splitlines():
        if line.startswith("? "):
            questions.append((line[2:], [], []))
        elif line[:2] in ("- ", "+ ") and questions:
            words, answers, right = questions[-1]
            if line[0] == "+":
                right.append(len(answers))
            answers.append(line[2:])
        else:
            told.append(line)
    roles = facts["roles"].split()
    return Lesson(
        path.stem, facts["name"].strip(), PEOPLE if roles == ["all"] else roles, facts["pages"].split(), int(facts["minutes"]),
        "\n".join(told).strip(), questions,
    )  # fmt: skip


def all_lessons() -> list[Lesson]:
    return [read(path) for path in sorted(FOLDER.glob("*.txt"))]


def prepare() -> int:
    """Enter the lessons that are not there yet; returns how many. Harmless to repeat (clinic.registry.preparations)."""
    known, made = set(Course.objects.values_list("code", flat=True)), 0
    for lesson in all_lessons():
        if lesson.code in known:
            continue
        course = Course.objects.create(
            code=lesson.code, name=lesson.name, way=CourseWay.LESSON, roles=lesson.roles, pages=lesson.pages,
            material=lesson.material, minutes=lesson.minutes, pass_at=PASS_AT if lesson.questions else None,
        )  # fmt: skip
        for order, (words, answers, right) in enumerate(lesson.questions):
            Question.objects.create(course=course, words=words, answers=answers, right=right, order=order)
        made += 1
    return made
