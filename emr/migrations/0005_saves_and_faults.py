"""Failed saves; and a save's text may be thinned, long after its draft was closed.

A plain SQL trigger instead of django-pgtrigger's, whose functions a session setting opens. What it lets pass: taking
out of ``changes`` fields that a later save of the same draft and the same minute holds, so that the state at every
minute's end stays exact. Never within 30 days after the draft was signed, withdrawn or its visit cancelled.
"""

import django.db.models.deletion
import django.utils.timezone
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

THIN = """
CREATE FUNCTION emr_save_thin() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    closed timestamptz;
    final integer;   -- the draft's last version: nobody adds a save behind it that justifies anything
    fence integer;   -- the first later version of another minute
    legal constant interval := interval '30 days';
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'receipts are never deleted' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF to_jsonb(NEW) - '{changes,thinned_at}'::text[] IS DISTINCT FROM to_jsonb(OLD) - '{changes,thinned_at}'::text[]
        OR NEW.thinned_at IS NULL OR abs(extract(epoch FROM clock_timestamp() - NEW.thinned_at)) > 60
        OR jsonb_typeof(NEW.changes) <> 'object'
        OR NEW.changes IS DISTINCT FROM OLD.changes - ARRAY(
            SELECT jsonb_object_keys(OLD.changes) EXCEPT SELECT jsonb_object_keys(NEW.changes))
    THEN
        RAISE EXCEPTION 'a save never changes, it is only thinned' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF OLD.correction_id IS NULL THEN
        SELECT coalesce(n.signed_at, CASE WHEN e.status = 'cancelled' THEN e.finished_at END), n.version
            INTO closed, final
            FROM emr_note n JOIN emr_encounter e ON e.id = n.encounter_id WHERE n.id = OLD.note_id;
    ELSE
        SELECT coalesce(c.signed_at, c.withdrawn_at), c.version
            INTO closed, final FROM emr_correction c WHERE c.id = OLD.correction_id;
    END IF;
    IF closed IS NULL OR greatest(closed, OLD.saved_at) > clock_timestamp() - legal THEN
        RAISE EXCEPTION 'texts of a draft are kept for 30 days after it was closed'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.changes = OLD.changes THEN
        RETURN NEW;
    END IF;
    SELECT s.version INTO fence FROM emr_save s
        WHERE s.note_id = OLD.note_id AND s.version > OLD.version
            AND (floor(extract(epoch FROM s.saved_at) / 60) <> floor(extract(epoch FROM OLD.saved_at) / 60)
                OR s.correction_id IS DISTINCT FROM OLD.correction_id)
        ORDER BY s.version LIMIT 1;
    IF EXISTS (
        SELECT jsonb_object_keys(OLD.changes)
        EXCEPT SELECT jsonb_object_keys(NEW.changes)
        EXCEPT SELECT jsonb_object_keys(s.changes) FROM emr_save s
            WHERE s.note_id = OLD.note_id AND s.version > OLD.version AND s.version <= final
                AND (fence IS NULL OR s.version < fence)
    ) THEN
        RAISE EXCEPTION 'only what a later save of the same minute holds may be thinned'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER emr_save_thin BEFORE UPDATE OR DELETE ON emr_save
    FOR EACH ROW EXECUTE FUNCTION emr_save_thin();
"""
DROP_THIN = "DROP FUNCTION emr_save_thin() CASCADE"


class Migration(migrations.Migration):

    dependencies = [
        ('clinic', '0003_more_acts'),
        ('emr', '0004_corrections'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='SaveFault',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.UUIDField(unique=True, verbose_name="reporter's key")),
                ('source', models.CharField(choices=[('server', 'the server'), ('browser', 'the browser')], max_length=10, verbose_name='told by')),
                ('at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='time')),
                ('received_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='received at')),
                ('status', models.PositiveSmallIntegerField(verbose_name='status')),
                ('code', models.CharField(blank=True, max_length=30, verbose_name='code')),
                ('request_id', models.CharField(blank=True, max_length=36, verbose_name='request')),
                ('save_key', models.UUIDField(null=True, verbose_name='key of the save')),
                ('version', models.PositiveIntegerField(null=True, verbose_name='version')),
                ('fields', models.JSONField(default=list, verbose_name='fields')),
                ('characters', models.PositiveIntegerField(default=0, verbose_name='characters')),
                ('sha256', models.CharField(blank=True, max_length=64, verbose_name='hash')),
                ('attempts', models.PositiveIntegerField(default=1, verbose_name='attempts')),
            ],
            options={
                'verbose_name': 'failed save',
                'verbose_name_plural': 'failed saves',
                'ordering': ['-at'],
                'permissions': [('inquire_record', 'Can inquire after a lost record')],
                'abstract': False,
            },
        ),
        migrations.AddField(
            model_name='save',
            name='correction',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, db_index=False, related_name='saves', to='emr.correction', verbose_name='correction'),
        ),
        migrations.AddField(
            model_name='savefault',
            name='by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by'),
        ),
        migrations.AddField(
            model_name='savefault',
            name='note',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='faults', to='emr.note', verbose_name='note'),
        ),
        migrations.AddIndex(
            model_name='savefault',
            index=models.Index(fields=['note', 'at'], name='save_fault_note'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='savefault',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='f713a938d205b73fe101141d6603151b2c437e04', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_fe3dc', table='emr_savefault', when='BEFORE')),
        ),
        migrations.AddField(
            model_name='save',
            name='thinned_at',
            field=models.DateTimeField(null=True, verbose_name='thinned at'),
        ),
        migrations.AlterField(
            model_name='save',
            name='note',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='saves', to='emr.note', verbose_name='note'),
        ),
        migrations.AlterField(
            model_name='save',
            name='by',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by'),
        ),
        migrations.AddIndex(
            model_name='save',
            index=models.Index(fields=['by', '-id'], name='save_own'),
        ),
        migrations.AddIndex(
            model_name='save',
            index=models.Index(condition=models.Q(('thinned_at', None), models.Q(('version', 1), ('correction__isnull', False), _connector='OR')), fields=['saved_at'], name='save_to_thin'),
        ),
        pgtrigger.migrations.RemoveTrigger(model_name='save', name='append_only'),
        migrations.RunSQL(THIN, DROP_THIN),
    ]
