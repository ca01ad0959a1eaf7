"""What stays true of a resident: carried, confirmed, changed."""


def take_over(note, visit, by):
    """The past history of a signed note becomes the resident's standing one, unless it was only carried."""
