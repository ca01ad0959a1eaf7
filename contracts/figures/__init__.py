"""Figures of signing: added up by a job (``adding_up``), read by the page and the sheet (``reading``)."""
