"""The quiet visit 安静接诊: what a signed note asks for is gathered for afterwards, not asked in front of the patient."""


def gather(note, visit, by, now):
    """Put what the signed note asks for on its doctor's after-visit list; return the new items."""
