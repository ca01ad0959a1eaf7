"""The ground floor: settings, institutions, staff, residents, who may see what, the audit trail.

Every app may import clinic; clinic imports none of them. Only ``clinic/settings.py`` and
``clinic/urls.py`` name the other apps, as strings. Kept free of Django so that ``clinic.postgres`` can
run before anything is installed in a database.
"""
