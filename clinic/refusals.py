"""Telling a person on the next page that an act was refused."""

from django.contrib import messages

from clinic import audit
from clinic.codes import Act
from clinic.errors import Forbidden


def tell(request, refusal):
    """Show the sentence. An act that is not this person's to do stands in the audit trail too: the page that
    follows is no 403, so the middleware does not see it."""
    if isinstance(refusal, Forbidden):
        audit.record(
            Act.DENIED,
            request=request,
            detail={"path": request.path, "method": request.method, "code": refusal.code},
        )
    messages.error(request, refusal.message)
