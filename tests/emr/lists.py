"""Where tests take lists of terms from: the district's, or the repository's own where there is none."""

from pathlib import Path

from emr import term_lists

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data"
OWN = {"icd10.csv": "icd10.csv", "drugs.csv": "medicine.csv"}


def national(name):
    """The national list of this name, else the starter list of the same system."""
    path = SHARED / name
    return path if path.exists() else term_lists.STARTER / OWN[name]
