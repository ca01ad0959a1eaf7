"""What a simulated protocol must write, and what it is handed."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from messaging.simulators.session import Session


class Out:
    """Something for the other side: a report, or a message from a handset (``stat`` empty)."""

    __slots__ = (
        "login", "phone", "remote_id", "stat", "taken_at", "text", "to", "part", "parts", "reference", "again", "sent",
    )  # fmt: skip

    def __init__(self, login, phone, remote_id, stat="", *, taken_at=0.0, text="", to="", piece=(1, 1, 0)):
        self.login, self.phone, self.remote_id, self.stat = login, phone, remote_id, stat
        self.taken_at, self.text, self.to = taken_at, text, to
        self.part, self.parts, self.reference = piece
        self.again = False
        self.sent = 0.0


class Manner:
    """How one protocol speaks, at the carrier's side; one object per connection. ``read`` gets each frame and calls

    ===================================================  =====================================================
    ``session.login_asked(login, problem, make)``        a login; ``problem`` is 0 or the code of what is wrong
                                                         with it, ``make(code, right)`` builds the answer
                                                         (``right``: with the right authenticator)
    ``session.submitted(sequence, phone, text, ...)``    one short message; answered through ``submit_answer``
    ``session.acknowledged(number)``                     the answer to ``report`` or ``incoming`` number so-and-so
    ``session.reply(frame)``                             anything that is answered at once
    ``session.bye(frame)``                               the other side leaves; ``frame`` is the answer
    ===================================================  =====================================================

    Exceptions close the connection and are counted as ``garbled``.
    """

    SMALLEST = 12
    LARGEST = 4096

    def __init__(self, session: "Session"):
        self.session, self.carrier = session, session.carrier

    def opening(self) -> bytes:
        """Written when the connection stands; only where the carrier is the one that connects (SGIP reports)."""
        return b""

    def read(self, frame: bytes) -> None:
        raise NotImplementedError

    def submit_answer(self, sequence, remote_id: str, code: int) -> bytes:
        """``sequence`` as given to ``submitted``; ``remote_id`` is "" unless the code is 0."""
        raise NotImplementedError

    def report(self, number: int, out: Out) -> bytes:
        raise NotImplementedError

    def incoming(self, number: int, out: Out) -> bytes:
        raise NotImplementedError
