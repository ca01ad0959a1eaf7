"""What is signed, imported or cancelled never changes, whoever asks.

Plain SQL triggers without the escape that django-pgtrigger's functions have (the session setting
``pgtrigger.ignore``), since drafts and signed rows share a table and the app's role may write drafts.
"""

from django.db import migrations

NOTE = """
CREATE FUNCTION emr_note_freeze() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'notes are never deleted' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF OLD.signed_at IS NOT NULL OR OLD.imported THEN
            RAISE EXCEPTION 'a signed or imported note never changes'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        IF NEW.encounter_id IS DISTINCT FROM OLD.encounter_id OR NEW.version < OLD.version THEN
            RAISE EXCEPTION 'a note keeps its visit and its versions go up'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        IF (SELECT status FROM emr_encounter WHERE id = NEW.encounter_id) = 'cancelled' THEN
            RAISE EXCEPTION 'the note of a cancelled visit never changes'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    END IF;
    -- The moment of signing is the server's: nobody signs for yesterday or tomorrow.
    IF NEW.signed_at IS NOT NULL AND abs(extract(epoch FROM clock_timestamp() - NEW.signed_at)) > 60 THEN
        RAISE EXCEPTION 'the signing time is the server time' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER emr_note_freeze BEFORE INSERT OR UPDATE OR DELETE ON emr_note
    FOR EACH ROW EXECUTE FUNCTION emr_note_freeze();
"""

ENCOUNTER = """
CREATE FUNCTION emr_encounter_freeze() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'visits are never deleted' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.status IN ('finished', 'cancelled') THEN
        RAISE EXCEPTION 'a finished or cancelled visit never changes'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.resident_id IS DISTINCT FROM OLD.resident_id THEN
        RAISE EXCEPTION 'a visit keeps its resident' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER emr_encounter_freeze BEFORE UPDATE OR DELETE ON emr_encounter
    FOR EACH ROW EXECUTE FUNCTION emr_encounter_freeze();
"""

LINES = """
CREATE FUNCTION emr_line_freeze() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        RAISE EXCEPTION 'lines of a signed note never change' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    -- Signing writes the lines first and the signature last, in one transaction.
    IF (SELECT signed_at FROM emr_note WHERE id = NEW.note_id) IS NOT NULL THEN
        RAISE EXCEPTION 'a signed note takes no further line' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER emr_diagnosis_freeze BEFORE INSERT OR UPDATE OR DELETE ON emr_diagnosis
    FOR EACH ROW EXECUTE FUNCTION emr_line_freeze();
CREATE TRIGGER emr_medication_freeze BEFORE INSERT OR UPDATE OR DELETE ON emr_medication
    FOR EACH ROW EXECUTE FUNCTION emr_line_freeze();
"""

DROP = """
DROP FUNCTION emr_line_freeze() CASCADE;
DROP FUNCTION emr_encounter_freeze() CASCADE;
DROP FUNCTION emr_note_freeze() CASCADE;
"""


class Migration(migrations.Migration):
    dependencies = [("emr", "0001_record")]

    operations = [migrations.RunSQL(NOTE + ENCOUNTER + LINES, DROP)]
