"""The page on which people steer the simulated carriers, and its JSON for ``simulate_carriers --tell``.

For this machine alone: it listens on loopback, answers only to a Host that is loopback too (so that no name on the
net can be pointed at it), and changes something only for who brings the token that its own page holds.
"""

import json
from datetime import UTC, datetime
from hmac import compare_digest

from aiohttp import web
from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext_lazy

from messaging.simulators import accounts
from messaging.simulators.company import ALL, Company, Mistold, words_of
from messaging.simulators.faults import Faults

TOKEN = "X-Token"  # noqa: S105 - the header's name
OWN = "/own/"
LANGUAGES = ("zh-hans", "en")
STATIC = (
    "bootstrap/css/bootstrap.min.css",
    "css/base.css",
    "css/carriers.css",
    "js/carriers.js",
    "favicon.svg",
)
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
WELL = Faults().as_dict()
# What a carrier can be told with one click: key → (label, words).
WISHES = {
    "well": (gettext_lazy("Everything as it should be"), {"reset": True}),
    "down": (gettext_lazy("Stop this carrier"), {"down": True}),
    "up": (gettext_lazy("Start it again"), {"up": True}),
    "kick": (gettext_lazy("Break all connections once"), {"kick": True}),
    "cut": (gettext_lazy("Break a connection in the middle of a window"), {"disconnect_after": 20}),
    "slow": (gettext_lazy("Answer slowly (1 to 2 seconds)"), {"latency": 1.0, "jitter": 1.0}),
    "silent": (gettext_lazy("Take everything, say nothing"), {"black_hole": True}),
    "lost_submits": (gettext_lazy("Lose a fifth of the messages"), {"lost_submits": 0.2}),
    "lost_answers": (gettext_lazy("Take a fifth of the messages without an answer"), {"lost_answers": 0.2}),
    "refuse": (gettext_lazy("Refuse a fifth of the messages"), {"refuse": 0.2}),
    "throttle": (gettext_lazy("Take no more than 20 a second"), {"throttle_above": 20}),
    "login": (gettext_lazy("Refuse logins"), {"login": "refuse", "kick": True}),
    "garbage": (gettext_lazy("Send bytes that nobody can read"), {"garbage_after": 5}),
    "twice": (gettext_lazy("Receipts: twice"), {"report_twice": 1.0}),
    "early": (gettext_lazy("Receipts: before the answer"), {"report_early": 1.0}),
    "late": (gettext_lazy("Receipts: ten seconds late"), {"report_late": 1.0, "late_seconds": 10.0}),
    "shuffle": (gettext_lazy("Receipts: out of order"), {"report_shuffle": True, "report_delay": 1.0}),
    "unknown": (gettext_lazy("Receipts: some that nobody knows"), {"report_unknown": 0.2}),
    "lost": (gettext_lazy("Receipts: none"), {"report_lost": 1.0}),
    "failed": (gettext_lazy("Receipts: not delivered"), {"stat": "UNDELIV"}),
    "expired": (gettext_lazy("Receipts: expired"), {"stat": "EXPIRED"}),
    "clear": (gettext_lazy("Forget what was counted"), {"clear": True}),
}  # fmt: skip


class Control:
    """The page's server. ``port`` 0 takes a free one."""

    def __init__(self, company: Company, port: int, host=accounts.LOOPBACK):
        self.company, self.host, self.port = company, host, port
        self.token = accounts.control_token()
        self.runner: web.AppRunner | None = None

    async def start(self):
        app = web.Application(middlewares=[self._guard], client_max_size=64 * 1024)
        app.router.add_get("/", self._page)
        app.router.add_get("/wish", self._page)  # somebody reloads after a form
        app.router.add_get("/carriers", self._carriers)
        app.router.add_get("/ledger/{name}", self._ledger)
        app.router.add_get(OWN + "{path:.+}", self._static)
        app.router.add_post("/wish", self._wish)
        app.router.add_post("/tell", self._tell)
        self.runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self.runner.setup()
        await web.TCPSite(self.runner, self.host, self.port, reuse_address=True).start()
        self.port = self.runner.addresses[0][1]
        return self

    async def stop(self):
        if self.runner is not None:
            await self.runner.cleanup()

    @property
    def address(self):
        return f"http://{self.host}:{self.port}"

    # who is let in

    @web.middleware
    async def _guard(self, request, handler):
        try:
            self._judge(request)
            answer = await handler(request)
        except web.HTTPException as error:
            error.headers.update(HEADERS)
            raise
        answer.headers.update(HEADERS)
        return answer

    def _judge(self, request):
        hosts = {f"{name}:{self.port}" for name in (self.host, "localhost")}
        if request.host.lower() not in hosts:
            raise web.HTTPForbidden(text="This page is for this machine alone.")
        origin = request.headers.get("Origin")
        if origin is not None and origin.lower() not in {f"http://{host}" for host in hosts}:
            raise web.HTTPForbidden(text="Another site's page asked for this.")

    def _proven(self, given):
        if not compare_digest(str(given or "").encode("utf-8", "replace"), self.token.encode()):
            raise web.HTTPForbidden(text="Reload the page and try again.")

    # the page

    async def _page(self, request):
        return self._rendered(request, "messaging/carriers.html", {"token": self.token, **self._choices()})

    async def _carriers(self, request):
        return self._rendered(request, "messaging/_carriers.html", {})

    async def _ledger(self, request):
        name = request.match_info["name"]
        if name not in self.company.carriers:
            raise web.HTTPNotFound(text="No such carrier.")
        rows = [
            {**entry, "phone": entry["phone"][-4:], "at": datetime.fromtimestamp(entry["at"], UTC)}
            for entry in self.company.last(name)
        ]
        return self._rendered(request, "messaging/carrier_ledger.html", {"name": name, "rows": rows})

    async def _static(self, request):
        path = request.match_info["path"]
        found = finders.find(path) if path in STATIC else None
        if not found:
            raise web.HTTPNotFound(text="No such file.")
        return web.FileResponse(found)

    async def _wish(self, request):
        """The page's forms."""
        form = await request.post()
        self._proven(form.get("token"))
        wrong = None
        try:
            await self.company.tell(str(form.get("carrier", ALL)), _words(form))
        except Mistold as error:
            wrong = error
        values = {"token": self.token, "wrong": wrong, "done": not wrong, **self._choices()}
        return self._rendered(request, "messaging/carriers.html", values, form.get("lang"))

    # the command

    async def _tell(self, request):
        """JSON {"carrier", "words", "ledger"} → {"carriers": [status], "entries": [...]}."""
        self._proven(request.headers.get(TOKEN))
        try:
            said = await request.json()
            name, words = said.get("carrier", ALL), said.get("words") or {}
            if not isinstance(words, dict):
                raise Mistold("words")
            if words:
                await self.company.tell(name, words)
            entries = self.company.last(name, int(said["ledger"])) if said.get("ledger") else []
        except Mistold as error:
            return web.json_response({"error": str(error)}, status=400)
        except (ValueError, TypeError, AttributeError):
            return web.json_response({"error": "JSON"}, status=400)
        return web.json_response({"carriers": self.company.status(), "entries": entries})

    # the rest

    def _choices(self):
        return {
            "wishes": [(key, label) for key, (label, words) in WISHES.items()],
            "demos": list(accounts.DEMOS.values()),
        }

    def _rendered(self, request, template, values, language=None):
        language = _language(language or request.query.get("lang"))
        with translation.override(language):
            rows = [_row(status) for status in self.company.status()]
            content = render_to_string(
                template, {"home": "/", "own": OWN, "lang": language, "rows": rows, **values}
            )
        return web.Response(text=content, content_type="text/html")


def _row(status):
    """A line of the table."""
    return {
        **status,
        "title": accounts.DEMOS[status["name"]].label,
        "connections": len(status["sessions"]),
        "waiting": sum(status["reports_waiting"].values()),
        "counts": status["ledger"],
        "wrong": [
            f"{name}={json.dumps(value)}" for name, value in status["faults"].items() if value != WELL[name]
        ],
    }


def _language(given):
    return given if given in LANGUAGES else LANGUAGES[0]


def _words(form) -> dict:
    """What a form wishes: a key of WISHES, a message from a handset, or words as ``--tell`` takes them."""
    if form.get("phone"):
        return {"mo": f"{form['phone']}:{form.get('text', '')}"}
    if moved := str(form.get("moved", "")).split():
        return {"moved": moved}
    if words := str(form.get("words", "")).split():
        return words_of(words)
    if form.get("wish") not in WISHES:
        raise Mistold("?")
    return WISHES[form["wish"]][1]
