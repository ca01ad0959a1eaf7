"""The record: waiting list, charting, drafts, diagnosis terms, signing, printing.

May import clinic. Knows nothing of messaging, contracts or maintenance; what those need of a visit
stands in a registry in clinic.
"""
