"""A browser's connection: cookies, the token against forged requests, bytes on the wire, files of a page."""

import gzip
import http.client
import json
import re
import time
from urllib.parse import urlencode, urljoin, urlsplit

FILES = (
    re.compile(rb'<(?:script|img)[^>]+src="([^"]+)"'),
    re.compile(rb'<link[^>]+rel="(?:stylesheet|icon|modulepreload)"[^>]+href="([^"]+)"'),
    re.compile(rb'<link[^>]+href="([^"]+)"[^>]+rel="(?:stylesheet|icon|modulepreload)"'),
)
IMPORTS = re.compile(rb'(?:from|import)\s*"(\.[^"]+)"')


class Browser:
    """One signed-in client. Not to be shared by threads."""

    def __init__(self, port, session, token):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.headers = {
            "Host": f"localhost:{port}",
            "Cookie": f"sessionid={session}; csrftoken={token}",
            "X-CSRFToken": token,
            "Accept-Encoding": "br, gzip",
        }

    def get(self, path, **headers):
        return self._ask("GET", path, None, headers)

    def post_form(self, path, fields, **headers):
        kind = {"Content-Type": "application/x-www-form-urlencoded", "HX-Request": "true"}
        return self._ask("POST", path, urlencode(fields), {**kind, **headers})

    def post_json(self, path, body, **headers):
        kind = {"Content-Type": "application/json", "Accept": "application/json"}
        return self._ask("POST", path, json.dumps(body), {**kind, **headers})

    def _ask(self, method, path, body, headers):
        try:
            self.connection.request(method, path, body, {**self.headers, **headers})
            answer = self.connection.getresponse()
            return Answer(answer, answer.read())
        except (http.client.HTTPException, OSError):
            self.connection.close()
            raise


class Answer:
    def __init__(self, answer, body):
        self.status, self.headers, self.body = answer.status, answer.headers, body
        head = sum(len(name) + len(value) + 4 for name, value in answer.headers.items())
        self.bytes = 17 + head + 2 + len(body)

    def json(self):
        return json.loads(self.body)

    @property
    def text(self):
        """What a person would read of it, in one line."""
        main = self.body.decode(errors="replace").partition("<main")[2] or self.body.decode(errors="replace")
        return " ".join(re.sub(r"<[^>]*>", " ", main).split())

    @property
    def zipped_bytes(self):
        """As nginx sends it (deploy/nginx.conf compresses pages; static files are compressed already)."""
        if self.headers.get("Content-Encoding"):
            return self.bytes
        return self.bytes - len(self.body) + len(gzip.compress(self.body, 5))


def first_load(browser, path):
    """(answer of the page, {file: answer}) with every file that a browser would fetch for it."""
    page = browser.get(path)
    files, waiting = (
        {},
        {urljoin(path, match.decode()) for form in FILES for match in form.findall(page.body)},
    )
    while waiting:
        address = waiting.pop()
        if address in files or address.startswith("data:"):
            continue
        files[address] = browser.get(urlsplit(address)._replace(scheme="", netloc="").geturl())
        if address.endswith(".js"):
            plain = browser.get(address, **{"Accept-Encoding": "identity"}).body
            waiting |= {urljoin(address, match.decode()) for match in IMPORTS.findall(plain)}
    return page, files


def timed(act, *args, **options):
    """(seconds, answer)"""
    began = time.perf_counter()
    answer = act(*args, **options)
    return time.perf_counter() - began, answer
