"""Where a few characters less save a short message for many: "cut 3 characters and save 412 segments"."""

from django.utils.translation import gettext as _

from messaging.gateways import text

# Nobody rewrites a text for more than that.
MOST = 20
ENOUGH = 0.8


def excess(message) -> int:
    """How many characters (16-bit units) would have to go so that the message needs one segment less; 0 where it
    needs only one."""
    segments = text.count(message)
    if segments == 1:
        return 0
    room = text.SINGLE if segments == 2 else text.PART * (segments - 1)
    return max(text.units(message) - room, 1)


def best(messages) -> tuple[int, int]:
    """(characters, segments saved in these messages) of the cut that is worth it most: the shortest one that saves
    nearly all that MOST characters would. (0, 0) where no such cut saves anything."""
    cuts = sorted(cut for cut in map(excess, messages) if 0 < cut <= MOST)
    if not cuts:
        return 0, 0
    cut = cuts[max(0, -(-int(len(cuts) * ENOUGH * 100) // 100) - 1)]
    return cut, sum(one <= cut for one in cuts)


def advise(messages, people) -> str:
    """The sentence, or nothing. ``messages``: a sample of the texts for ``people`` recipients."""
    cut, saved = best(messages)
    whole = saved * people // len(messages) if messages else 0
    if not whole:
        return ""
    return _("Cut %(n)d characters and save %(saved)d segments.") % {"n": cut, "saved": whole}
