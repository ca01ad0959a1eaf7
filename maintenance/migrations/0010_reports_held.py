"""What was signed stands: a weekly report from its signature on, a meeting's minutes from their end on."""

from django.db import migrations

HOLD = """
CREATE FUNCTION maintenance_report_hold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'weekly reports are never deleted' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.signed_at IS NOT NULL AND NEW IS DISTINCT FROM OLD THEN
        RAISE EXCEPTION 'a signed report never changes' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER report_hold BEFORE UPDATE OR DELETE ON maintenance_weeklyreport FOR EACH ROW
    EXECUTE FUNCTION maintenance_report_hold();

CREATE FUNCTION maintenance_meeting_hold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'meetings are never deleted' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.closed_at IS NOT NULL AND NEW IS DISTINCT FROM OLD THEN
        RAISE EXCEPTION 'closed minutes never change' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER meeting_hold BEFORE UPDATE OR DELETE ON maintenance_meeting FOR EACH ROW
    EXECUTE FUNCTION maintenance_meeting_hold();
"""
LET_GO = """
DROP FUNCTION maintenance_report_hold() CASCADE;
DROP FUNCTION maintenance_meeting_hold() CASCADE;
"""


class Migration(migrations.Migration):
    dependencies = [("maintenance", "0009_queue_and_equipment")]

    operations = [migrations.RunSQL(HOLD, LET_GO)]
