"""An upgrade goes its lawful moves; from its announcement on its plan stands, and what has ended never changes."""

from django.db import migrations

HOLD = """
CREATE FUNCTION maintenance_upgrade_hold() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    moves text[] := ARRAY['draft>assessed', 'draft>cancelled', 'assessed>approved', 'assessed>draft', 'assessed>cancelled',
        'approved>announced', 'approved>draft', 'approved>cancelled', 'announced>running', 'announced>cancelled',
        'running>watching', 'running>rolled_back', 'watching>closed', 'watching>rolled_back'];
    plan text[] := ARRAY['release', 'modules', 'what', 'impact', 'roll_back', 'plan_id', 'rehearsed_on', 'rehearsal', 'author_id',
        'responsible_id', 'assessed_at', 'assessed_by_id', 'approved_at', 'approved_by_id'];
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'upgrades are never deleted' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.state IN ('closed', 'rolled_back', 'cancelled') AND NEW IS DISTINCT FROM OLD THEN
        RAISE EXCEPTION 'an upgrade that has ended never changes' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.state <> OLD.state AND NOT (OLD.state || '>' || NEW.state) = ANY(moves) THEN
        RAISE EXCEPTION 'an upgrade does not go from % to %', OLD.state, NEW.state USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.state IN ('announced', 'running', 'watching') AND EXISTS (
        SELECT FROM unnest(plan) AS name WHERE to_jsonb(NEW) -> name IS DISTINCT FROM to_jsonb(OLD) -> name
    ) THEN
        RAISE EXCEPTION 'the plan of an announced upgrade never changes' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER upgrade_hold BEFORE UPDATE OR DELETE ON maintenance_upgrade FOR EACH ROW
    EXECUTE FUNCTION maintenance_upgrade_hold();
"""


class Migration(migrations.Migration):
    dependencies = [("maintenance", "0010_reports_held")]

    operations = [migrations.RunSQL(HOLD, "DROP FUNCTION maintenance_upgrade_hold() CASCADE")]
