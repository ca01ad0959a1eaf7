"""One JSON object a line on stdout, with the request's id and no patient text."""

import json
import logging
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime

request_id: ContextVar[str] = ContextVar("request_id", default="")


# Their arguments are ids and names of our own code.
PLAIN_LOGGERS = frozenset({"django_tasks", "django_tasks_db"})


class JsonFormatter(logging.Formatter):
    """Keeps the message's template, the place and the error's kind. Arguments and error texts may hold
    what a person typed (a database error quotes values), so they stay out."""

    def format(self, record):
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage() if record.name in PLAIN_LOGGERS else str(record.msg),
        }
        if current := request_id.get():
            line["request_id"] = current
        if facts := getattr(record, "facts", None):
            line.update(facts)
        if record.exc_info and record.exc_info[0]:
            line["error"] = record.exc_info[0].__name__
            line["where"] = [
                f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(record.exc_info[2])
            ][-12:]
        return json.dumps(line, ensure_ascii=False, default=str)
