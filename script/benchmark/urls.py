"""The house's addresses and a yardstick: a signed-in page that does nothing, through the whole stack."""

import threading
import time
from contextlib import ExitStack

from django.db import connection
from django.shortcuts import render
from django.urls import path

from clinic.permissions import signed_in
from clinic.urls import handler400, handler403, handler404, handler500, urlpatterns
from emr.sealing import seal

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

SAVEPOINTS = ("SAVEPOINT", "RELEASE", "ROLLBACK")


@signed_in
def yardstick(request):
    return render(request, "yardstick.html")


class CountStatements:
    """Tells the number of SQL statements (BEGIN, COMMIT and savepoints left out) to who asks for it."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        statements = []

        def count(execute, sql, params, many, context):
            if not sql.startswith(SAVEPOINTS):
                statements.append(sql)
            return execute(sql, params, many, context)

        with ExitStack() as stack:
            if "X-Count" in request.headers:
                stack.enter_context(connection.execute_wrapper(count))
            response = self.get_response(request)
        response["X-Queries"] = str(len(statements))
        own = [sql for sql in statements if "django_session" not in sql and 'FROM "clinic_user"' not in sql]
        response["X-Own-Queries"] = str(len(own))
        return response


class SealClock:
    """Tells how long the seal of a signature took, and leaves it out for who asks for that."""

    this = threading.local()

    def __init__(self, get_response):
        self.get_response, self.make = get_response, seal.make
        seal.make = self.seal

    def __call__(self, request):
        self.this.unsealed, self.this.seconds = "X-Unsealed" in request.headers, None
        response = self.get_response(request)
        if self.this.seconds is not None:
            response["X-Seal-Ms"] = f"{self.this.seconds * 1000:.3f}"
        return response

    def seal(self, note, visit):
        if self.this.unsealed:
            return None
        began = time.perf_counter()
        made = self.make(note, visit)
        self.this.seconds = time.perf_counter() - began
        return made


urlpatterns = [path("yardstick", yardstick, name="yardstick"), *urlpatterns]
