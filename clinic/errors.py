"""Refusals that actions raise: a sentence for the person, a code for the page, a status for the wire."""


class Refused(Exception):
    """The act is not possible as asked. ``message`` is shown as it is; ``facts`` go to the page's script."""

    status = 400

    def __init__(self, message, *, code="refused", **facts):
        super().__init__(message)
        self.message = str(message)
        self.code = code
        self.facts = facts

    def as_dict(self):
        return {"error": self.code, "message": self.message, **self.facts}


class Conflict(Refused):
    """Somebody was there first: the row is not what the sender believes it to be."""

    status = 409


class Forbidden(Refused):
    """The row may be seen and the act is not this role's."""

    status = 403
