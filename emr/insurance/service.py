"""Our own pretended city insurance: an HTTP service on this machine for tests and the demo. It books claims under
numbers of its own, and can be told to be slow, down, unwilling or out of its mind (Mood).

It keeps keys, numbers and times, in memory and where wanted in a small file; of a patient it keeps nothing.
"""

import contextlib
import json
import re
import secrets
import threading
import time
from datetime import datetime
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from emr.insurance import wire

SLOW_SECONDS = 60
KEY = re.compile(r"[0-9a-f-]{36}")
NEEDED = ("key", "referral_number", "name", "id_number", "insurance", "group", "from_code", "doctor")


class Mood(Enum):
    WELL = "well"
    SLOW = "slow"  # books, and answers after a minute
    DRIP = "drip"  # answers a byte at a time
    DOWN = "down"  # closes every connection without a word
    REFUSE = "refuse"
    GARBAGE = "garbage"
    HUGE = "huge"
    LOSE = "lose"  # books and cancels as asked, and the answer is lost on the way
    DUPLICATE = "duplicate"  # books a claim twice, answers with the second number and knows the first by key


class Ledger:
    """Bookings by our key and by their number. ``file``: a line of JSON for each change, read back at the start."""

    def __init__(self, file: Path | None = None):
        self.lock, self.file = threading.Lock(), file
        self.rows = {}  # number → {"key", "standing", "at"}
        self.numbers = {}  # key → the first number
        for line in file.read_text().splitlines() if file and file.exists() else ():
            with contextlib.suppress(ValueError, KeyError):  # a line cut off by a power cut
                row = json.loads(line)
                self._put(row["number"], row["key"], row["standing"], row["at"])

    def book(self, key, again=False):
        """The number of the claim: the one it has, unless ``again``."""
        with self.lock:
            if key not in self.numbers or again:
                self._write(f"SB{datetime.now():%y%m%d}{secrets.randbelow(10**8):08d}", key, "booked")
            numbers = [number for number, row in self.rows.items() if row["key"] == key]
            number = numbers[-1] if again else numbers[0]
            return {"standing": self.rows[number]["standing"], "number": number}

    def find(self, key="", number=""):
        with self.lock:
            number = number or self.numbers.get(key, "")
            row = self.rows.get(number)
            return {"standing": row["standing"], "number": number} if row else {"standing": "unknown"}

    def cancel(self, number):
        with self.lock:
            row = self.rows.get(number)
            if row is None:
                return {"standing": "unknown"}
            if row["standing"] != "cancelled":
                self._write(number, row["key"], "cancelled")
            return {"standing": "cancelled", "number": number}

    def forget(self, key):
        """As if it had never come: for showing what comparing finds."""
        with self.lock:
            self.rows = {number: row for number, row in self.rows.items() if row["key"] != key}
            self.numbers.pop(key, None)

    def _write(self, number, key, standing):
        at = datetime.now().isoformat(timespec="seconds")
        self._put(number, key, standing, at)
        if self.file:
            with self.file.open("a") as file:
                file.write(json.dumps({"number": number, "key": key, "standing": standing, "at": at}) + "\n")

    def _put(self, number, key, standing, at):
        self.rows[number] = {"key": key, "standing": standing, "at": at}
        self.numbers.setdefault(key, number)


class Service(ThreadingHTTPServer):
    """``Service(("127.0.0.1", 0), secret).serve_forever()``; port 0 takes a free one."""

    daemon_threads = True
    # Threads that sleep in a slow answer must not keep the service from ending.
    block_on_close = False

    def __init__(self, address, secret, file=None):
        super().__init__(address, Handler)
        self.secret, self.ledger, self.mood = secret, Ledger(file), Mood.WELL
        self.ending = threading.Event()
        self.asked = 0

    @property
    def url(self):
        return f"http://{self.server_address[0]}:{self.server_port}"

    def server_close(self):
        self.ending.set()
        super().server_close()

    def handle_error(self, request, client_address):
        """A client that has gone is nothing to tell about."""


class Handler(BaseHTTPRequestHandler):
    server: Service
    timeout = 10

    def log_message(self, *args):
        """Nothing: a request carries a patient."""

    def do_GET(self):
        if self.path != "/":
            return self.send_error(404)
        return self.put(200, status_page(self.server).encode(), {"Content-Type": "text/html; charset=utf-8"})

    def do_POST(self):
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > wire.LIMIT:
            return self.send_error(413)
        body = self.rfile.read(int(length))
        asked = self.headers.get(wire.SIGNATURE, "")
        if not self.is_signed(asked, body):
            return self.send_error(401)
        try:
            question = json.loads(body)
        except ValueError:
            return self.send_error(400)
        if self.path == "/control":
            return self.control(asked, question)
        self.server.asked += 1
        return MOODS[self.server.mood](self, asked, question)

    def is_signed(self, asked, body):
        sent = self.headers.get(wire.TIME, "")
        fresh = sent.isdecimal() and abs(time.time() - int(sent)) <= wire.WINDOW
        return fresh and wire.equal(wire.of_request(self.server.secret, self.path, sent, body), asked)

    def control(self, asked, question):
        try:
            self.server.mood = Mood(question.get("mood"))
        except ValueError:
            return self.answer(asked, 422, {"code": "mood", "sentence": "?"})
        return self.answer(asked, 200, {"mood": self.server.mood.value})

    def act(self, question, again=False):
        """(status, answer) of the service in good health."""
        ledger = self.server.ledger
        if self.path == "/claims":
            missing = [name for name in NEEDED if not question.get(name)]
            if missing or not KEY.fullmatch(str(question["key"])):
                return 422, {"code": "incomplete", "sentence": "缺少：" + "、".join(missing or ["key"])}
            return 200, ledger.book(question["key"], again)
        if self.path == "/query":
            return 200, ledger.find(str(question.get("key", "")), str(question.get("number", "")))
        if self.path == "/cancel":
            return 200, ledger.cancel(str(question.get("number", "")))
        return 422, {"code": "path", "sentence": "?"}

    def answer(self, asked, status, answer):
        body = json.dumps(answer).encode()
        self.put(status, body, {wire.SIGNATURE: wire.of_answer(self.server.secret, asked, status, body)})

    def put(self, status, body, headers):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    # How it behaves in each mood ------------------------------------------------------------------------

    def well(self, asked, question):
        self.answer(asked, *self.act(question))

    def slow(self, asked, question):
        status, answer = self.act(question)
        self.server.ending.wait(SLOW_SECONDS)
        self.answer(asked, status, answer)

    def drip(self, asked, question):
        self.act(question)
        for sign in b"HTTP/1.0 200 OK\r\n" + b"X-Wait: a little\r\n" * 1000:
            self.wfile.write(bytes([sign]))
            if self.server.ending.wait(0.05):
                return

    def down(self, asked, question):
        self.close_connection = True

    def refuse(self, asked, question):
        if self.path == "/query":
            return self.well(asked, question)
        return self.answer(asked, 422, {"code": "4001", "sentence": "参保状态异常，请到医保窗口核实"})

    def garbage(self, asked, question):
        self.act(question)
        self.wfile.write(b'\x00\xff{"standing": "booked", "number": "\x00"}' + secrets.token_bytes(200))

    def huge(self, asked, question):
        self.act(question)
        self.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n" + b"9" * (4 * wire.LIMIT))

    def lose(self, asked, question):
        if self.path == "/query":
            return self.well(asked, question)
        self.act(question)
        self.close_connection = True
        return None

    def duplicate(self, asked, question):
        if self.path == "/claims":
            self.act(question)
        self.answer(asked, *self.act(question, again=True))


MOODS = {mood: getattr(Handler, mood.value) for mood in Mood}
PAGE = """<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>医保沙箱</title>
<h1>医保沙箱 Insurance sandbox</h1><p>状态 mood: <b>{mood}</b>; 请求 asked: {asked}; 登记 booked: {booked};
撤销 cancelled: {cancelled}</p><table border="1"><tr><th>number<th>standing<th>at</tr>{rows}</table></html>"""


def status_page(service):
    """How it feels and the last numbers; nobody's name."""
    with service.ledger.lock:
        rows = list(service.ledger.rows.items())
    standings = [row["standing"] for _number, row in rows]
    lines = [
        f"<tr><td>{number}<td>{row['standing']}<td>{row['at']}</tr>" for number, row in reversed(rows[-20:])
    ]
    return PAGE.format(
        mood=service.mood.value, asked=service.asked, booked=standings.count("booked"),
        cancelled=standings.count("cancelled"), rows="".join(lines),
    )  # fmt: skip
