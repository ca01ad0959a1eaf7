"""The measurements and their table. Runs beside gunicorn, with Django set up for making the stage."""

import os
import random
import statistics
import sys
import threading
import time
import uuid

import django

django.setup()

from django.urls import NoReverseMatch, reverse  # noqa: E402

from benchmark.browser import first_load, timed  # noqa: E402
from benchmark.proof import proof  # noqa: E402
from benchmark.stage import CLIENTS, PASSWORD, Stage  # noqa: E402
from clinic.models import Lease  # noqa: E402
from contracts.models import Agreement  # noqa: E402

TYPED = (
    "高血压",
    "gxy",
    "糖尿病",
    "tnb",
    "i10",
    "上呼吸道 急性",
    "支气管",
    "zqg",
    "e11.9",
    "腰",
    "胃炎 慢性",
    "sf",
)
COUNT = {"X-Count": "1"}


class Page:
    """One thing to measure: ``ask(browser, number)`` makes one request and returns the answer."""

    def __init__(self, stage):
        self.stage = stage

    def people(self):
        """Who asks, one for each client."""
        return self.stage.doctors

    def prepare(self, client, doctor):
        """What one client needs of its own."""

    def plenty(self):
        """How many requests there is material for, a client; None is without end."""


class Plain(Page):
    def __init__(self, stage, path):
        super().__init__(stage)
        self.path = path

    def ask(self, browser, own, number, **headers):
        return browser.get(self.path, **headers)


class Signing(Plain):
    """A page of the family doctors: the clients belong to the station's largest team."""

    def people(self):
        return self.stage.team()


class District(Plain):
    """A page for the district office, which looks at everything."""

    def people(self):
        return [self.stage.office] * CLIENTS


class Chart(Page):
    visits = 0

    def prepare(self, client, doctor):
        resident = self.stage.resident()
        if self.visits:
            self.stage.long_file(resident, self.visits)
        return reverse("chart", args=[self.stage.visit(doctor, resident).uuid])

    def ask(self, browser, own, number, **headers):
        return browser.get(own, **headers)


class LongChart(Chart):
    visits = 500


class Autosave(Page):
    """A doctor types on: each save brings the text so far of one box."""

    def prepare(self, client, doctor):
        visit = self.stage.visit(doctor)
        return {"path": reverse("save-draft", args=[visit.uuid]), "version": visit.note.version}

    def ask(self, browser, own, number, **headers):
        text = "咳嗽咳痰三天，夜间明显，无发热，无胸痛，自服止咳药后稍有缓解。" * 4
        body = {
            "key": str(uuid.uuid4()), "version": own["version"],
            "changes": {"present_illness": text[: 20 + number % 90], "chief_complaint": f"咳嗽{number}天"},
        }  # fmt: skip
        answer = browser.post_json(own["path"], body, **headers)
        own["version"] = answer.json().get("version", own["version"])
        return answer


class Inquiry(Page):
    """The time line of a visit that was saved three thousand times."""

    def prepare(self, client, doctor):
        return reverse("inquiry", args=[self.stage.much_saved(doctor, 3000).uuid])

    def ask(self, browser, own, number, **headers):
        return browser.get(own, **headers)


class Versions(Page):
    """A note that was corrected twenty times, field by field."""

    def prepare(self, client, doctor):
        return reverse("versions", args=[self.stage.much_corrected(doctor, 20).uuid])

    def ask(self, browser, own, number, **headers):
        return browser.get(own, **headers)


class DiagnosisSearch(Page):
    def ask(self, browser, own, number, **headers):
        return browser.post_form(
            reverse("terms"), {"q": TYPED[number % len(TYPED)], "kind": "diagnosis"}, **headers
        )


class ResidentSearch(Page):
    def ask(self, browser, own, number, **headers):
        who = self.stage.sample[number % len(self.stage.sample)]
        typed = (who.name, who.initials, who.id_number[-4:], who.phone[-4:], who.name[:1], who.record_number)
        return browser.post_form(reverse("resident-search"), {"q": typed[number % len(typed)]}, **headers)


class Sign(Page):
    ready = 40

    def __init__(self, stage):
        super().__init__(stage)
        self.sealing = []

    def prepare(self, client, doctor):
        return [
            (visit.uuid, visit.note.version)
            for visit in (self.stage.visit(doctor) for _n in range(self.ready))
        ]

    def plenty(self):
        return self.ready

    def ask(self, browser, own, number, **headers):
        visit, version = own.pop()
        body = {"key": str(uuid.uuid4()), "version": version, "password": PASSWORD}
        answer = browser.post_json(reverse("sign", args=[visit]), body, **headers)
        if took := answer.headers.get("X-Seal-Ms"):
            self.sealing.append(float(took) / 1000)
        return answer


class SignUnsealed(Sign):
    def ask(self, browser, own, number, **headers):
        return super().ask(browser, own, number, **{"X-Unsealed": "1", **headers})


def pages(stage):
    without = os.environ["BENCH_PASSWORD"] == "none"  # noqa: S105
    if without:
        return {
            "sign, without the password's cost": Sign(stage),
            "the same without the seal": SignUnsealed(stage),
        }
    return {
        "yardstick": Plain(stage, reverse("yardstick")),
        "home": Plain(stage, reverse("home")),
        "chart": Chart(stage),
        "chart, 500 visits": LongChart(stage),
        "autosave": Autosave(stage),
        "diagnosis search": DiagnosisSearch(stage),
        "resident search": ResidentSearch(stage),
        "my saves": Plain(stage, reverse("saves")),
        "inquiry, 3 000 saves": Inquiry(stage),
        "versions, 20 corrections": Versions(stage),
        "sign": Sign(stage),
        **signing_pages(stage),
    }


def signing_pages(stage):
    """Of a district that has signed agreements."""
    if not Agreement.objects.exists():
        return {}
    return {
        "my team": Signing(stage, reverse("my-team")),
        "services due": Signing(stage, reverse("due")),
        "evidence to confirm": Signing(stage, reverse("confirm")),
        "figures of signing": District(stage, reverse("signing-figures")),
    }


class Client(threading.Thread):
    """Asks until the time or the material is over."""

    def __init__(self, page, browser, own, deadline):
        super().__init__(daemon=True)
        self.page, self.browser, self.own, self.deadline = page, browser, own, deadline
        self.times, self.errors = [], []

    def run(self):
        number = random.randrange(1000)
        left = self.page.plenty() or sys.maxsize
        while time.perf_counter() < self.deadline and left > 0:
            try:
                seconds, answer = timed(self.page.ask, self.browser, self.own, number)
            except OSError as error:
                self.errors.append(type(error).__name__)
                return
            if answer.status != 200:
                self.errors.append(f"{answer.status} {answer.text[:150]}")
            self.times.append(seconds)
            number, left = number + 1, left - 1


def drive(page, stage, clients, seconds):
    """(requests a second, sorted times, errors) of so many clients at once."""
    team = [
        (stage.browser(doctor), page.prepare(number, doctor))
        for number, doctor in enumerate(page.people()[:clients])
    ]
    began = time.perf_counter()
    crew = [Client(page, browser, own, began + seconds) for browser, own in team]
    for client in crew:
        client.start()
    for client in crew:
        client.join()
    spent = time.perf_counter() - began
    times = sorted(moment for client in crew for moment in client.times)
    errors = [error for client in crew for error in client.errors]
    return len(times) / spent, times, errors


def statements(page, stage):
    """(all statements, those besides session and user, bytes) of one request after a first one."""
    doctor = page.people()[0]
    browser, own = stage.browser(doctor), page.prepare(0, doctor)
    page.ask(browser, own, 0)
    answer = page.ask(browser, own, 1, **COUNT)
    return answer.headers.get("X-Queries"), answer.headers.get("X-Own-Queries"), answer


def percentile(times, share):
    return 1000 * times[min(int(len(times) * share), len(times) - 1)] if times else float("nan")


def row(name, page, stage, seconds, yardstick):
    total, own, answer = statements(page, stage)
    drive(page, stage, 2, min(seconds / 4, 1))  # both workers warm
    cells = [name]
    for clients in (1, CLIENTS):
        getattr(page, "sealing", []).clear()
        rate, times, errors = drive(page, stage, clients, seconds)
        cells += [f"{rate:.0f}", f"{statistics.median(times) * 1000:.1f}", f"{percentile(times, 0.95):.1f}"]
        if errors:
            cells[0] = f"{name} ({len(errors)} errors: {errors[0]})"
    if name == "yardstick":
        yardstick["rate"] = rate
    share = f"{rate / yardstick['rate']:.0%}" if yardstick else "–"
    cells += [share, total, own, f"{answer.bytes:,}", f"{answer.zipped_bytes:,}"]
    return "| " + " | ".join(map(str, cells)) + " |"


def durable_commit():
    """Milliseconds of one small change with its commit: no save can be faster than the disk."""
    Lease.objects.get_or_create(name="bench")
    row = Lease.objects.filter(name="bench")
    times = [timed(row.update, holder=str(number))[0] for number in range(200)]
    row.delete()
    return 1000 * statistics.median(times)


def loads(stage):
    """Bytes of the chart page with an empty browser and with a warm one."""
    doctor = stage.doctors[0]
    page, files = first_load(stage.browser(doctor), Chart(stage).prepare(0, doctor))
    lasting = all("immutable" in answer.headers.get("Cache-Control", "") for answer in files.values())
    first = page.bytes + sum(answer.bytes for answer in files.values())
    print(
        f"\nChart page over the wire, first load: {first:,} bytes from gunicorn"
        f" ({page.zipped_bytes + first - page.bytes:,} through nginx with gzip), {len(files)} files;"
        f" later loads: {page.bytes:,} bytes ({page.zipped_bytes:,} through nginx)"
        f"{'' if lasting else '; NOT every file is kept for ever'}."
    )
    for address, answer in sorted(files.items(), key=lambda item: -item[1].bytes):
        print(f"  {answer.bytes:>8,}  {answer.status}  {address}")


HEADER = (
    "| page | req/s (1) | p50 ms | p95 ms | req/s (8) | p50 ms | p95 ms | of yardstick | statements"
    " | besides session, user | bytes | gzip |"
)


def main():
    seconds, only = float(sys.argv[1]), sys.argv[2:]
    stage, yardstick = Stage(), {}
    chosen = {name: page for name, page in pages(stage).items() if not only or name in ("yardstick", *only)}
    first, sealings = "yardstick" in chosen, []
    if first:
        print(HEADER)
        print("|" + "---|" * HEADER.count(" | ") + "---|")
    for name, page in chosen.items():
        try:
            print(row(name, page, stage, seconds, yardstick))
            sealings.append((name, sorted(getattr(page, "sealing", []))))
        except (NoReverseMatch, ValueError, IndexError) as error:
            print(f"| {name}: not measured ({error}) |")
    for name, times in sealings:
        if times:
            print(
                f"\n{name}: of a signature the seal takes {percentile(times, 0.5):.1f} ms (p50),"
                f" {percentile(times, 0.95):.1f} ms (p95), with {CLIENTS} doctors of one institution."
            )
    if first:
        print(f"\nOne small change and its commit: {durable_commit():.2f} ms.")
    if first and not only:
        loads(stage)
    if first and (not only or "verify" in only):
        print(proof(yardstick["rate"]))


if __name__ == "__main__":
    main()
