"""Residents are never deleted, whoever asks: a mistaken row is merged, a dead or moved person is marked.

A plain SQL trigger, without the escape of django-pgtrigger's functions.
"""

from django.db import migrations

KEPT = """
CREATE FUNCTION clinic_resident_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'residents are never deleted' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER clinic_resident_kept BEFORE DELETE ON clinic_resident
    FOR EACH ROW EXECUTE FUNCTION clinic_resident_kept();
"""
DROP = "DROP FUNCTION clinic_resident_kept() CASCADE;"


class Migration(migrations.Migration):
    dependencies = [("clinic", "0003_more_acts")]

    operations = [migrations.RunSQL(KEPT, DROP)]
