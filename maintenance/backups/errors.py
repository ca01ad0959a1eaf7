"""What goes wrong with backups, in a sentence for the operator."""


class BackupError(Exception):
    """No backup was taken, or it cannot be restored; the message says why and holds nothing of a patient."""


class Damaged(BackupError):
    """The file is not what was written."""
