"""What a protocol with long connections must write so that ``link`` and ``pool`` can speak it."""

from typing import TYPE_CHECKING

from messaging.gateways.base import Account, Segment

if TYPE_CHECKING:
    from messaging.gateways.link import Link


class Dialect:
    """How one protocol speaks over one connection; made anew for each. Subclasses set the sizes and write all methods.

    ``read`` gets every frame and tells the connection what it says by calling one of

    ========================================  ==================================================================
    ``link.logged_in()``                      the login's answer was yes (no: raise ``LoginRefused``)
    ``link.answered(sequence, verdict, ...)`` the answer to a submit; unknown sequences are ignored
    ``link.reported(report, reply)``          a delivery report; ``reply`` is written after it was committed
    ``link.heard(incoming, reply)``           a message from a handset, likewise
    ``link.reply(frame)``                     a request of the carrier that is answered at once (active test)
    ``link.alive()``                          the answer to our active test
    ``link.farewell(frame)``                  the carrier says good-bye; ``frame`` is our answer (b"" for none)
    ``link.left()``                           the carrier's answer to our good-bye
    ========================================  ==================================================================

    or by doing nothing: commands it does not know are ignored. Every exception it raises closes the connection; what
    is no ``GatewayError`` (struct.error, IndexError …) counts as ``Garbled``.
    """

    SMALLEST = 12  # the header
    LARGEST = 4096
    PADDING = 0  # zero bytes a carrier may write behind a frame without counting them (SMGP)
    CLOSES_IDLE = False  # whether a carrier that closes an idle connection does nothing wrong (SGIP)

    def __init__(self, account: Account):
        self.account = account

    @classmethod
    def sequence(cls, account: Account, number: int) -> str:
        """The hex of a frame's sequence field for the pool's so-manieth number (1 to 0x7fffffff, round and round)."""
        return f"{number:08x}"

    def remote_id(self, sequence: str) -> str:
        """The carrier's number of a submit that was not answered, where the sequence tells it (SGIP)."""
        return ""

    def login(self, sequence: str) -> bytes:
        """The frame written as soon as the connection stands; b"" if the protocol has none (then call
        ``link.logged_in()`` on the first frame, or override ``Link.connection_made``)."""
        raise NotImplementedError

    def submit(self, sequence: str, segment: Segment) -> bytes:
        """One frame. Raises GatewayError (``frames.Unfit``) if the segment cannot be said: answered REFUSED."""
        raise NotImplementedError

    def active_test(self, sequence: str) -> bytes:
        """b"": this protocol has none, an idle connection is left alone."""
        return b""

    def good_bye(self, sequence: str) -> bytes:
        return b""

    def read(self, frame: bytes, link: "Link") -> None:
        raise NotImplementedError
