"""Seals and their chain. Public ids, which seals name people and places by, never change from here on."""

import django.db.models.deletion
import django.utils.timezone
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

# Plain SQL, without an escape by session settings. No function is called unless the id does change.
KEEP_UUID = """
CREATE FUNCTION emr_uuid_keep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a public id never changes' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER emr_uuid_keep BEFORE UPDATE OF uuid ON clinic_resident
    FOR EACH ROW WHEN (OLD.uuid IS DISTINCT FROM NEW.uuid) EXECUTE FUNCTION emr_uuid_keep();
CREATE TRIGGER emr_uuid_keep BEFORE UPDATE OF uuid ON clinic_institution
    FOR EACH ROW WHEN (OLD.uuid IS DISTINCT FROM NEW.uuid) EXECUTE FUNCTION emr_uuid_keep();
CREATE TRIGGER emr_uuid_keep BEFORE UPDATE OF uuid ON clinic_user
    FOR EACH ROW WHEN (OLD.uuid IS DISTINCT FROM NEW.uuid) EXECUTE FUNCTION emr_uuid_keep();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('clinic', '0003_more_acts'),
        ('emr', '0005_saves_and_faults'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Seal',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('institution_code', models.CharField(max_length=22, verbose_name='code of the institution')),
                ('format', models.PositiveSmallIntegerField(default=1, verbose_name='format')),
                ('sha256', models.CharField(max_length=64, verbose_name='hash')),
                ('key_id', models.CharField(max_length=16, verbose_name='key')),
                ('signature', models.CharField(max_length=88, verbose_name='signature')),
                ('sealed_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='sealed at')),
                ('adopted', models.BooleanField(default=False, verbose_name='sealed afterwards')),
            ],
            options={
                'verbose_name': 'seal',
                'verbose_name_plural': 'seals',
                'ordering': ['-pk'],
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='SealAnchor',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('position', models.BigIntegerField()),
                ('hash', models.CharField(max_length=64)),
                ('written_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'verbose_name': 'seal anchor',
                'verbose_name_plural': 'seal anchors',
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='SealLink',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.BigIntegerField()),
                ('hash', models.CharField(max_length=64)),
            ],
            options={
                'verbose_name': 'seal chain link',
                'verbose_name_plural': 'seal chain',
                'abstract': False,
            },
        ),
        migrations.AddField(
            model_name='seal',
            name='correction',
            field=models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='seal', to='emr.correction', verbose_name='correction'),
        ),
        migrations.AddField(
            model_name='seal',
            name='institution',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clinic.institution', verbose_name='institution'),
        ),
        migrations.AddField(
            model_name='seal',
            name='note',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='seals', to='emr.note', verbose_name='note'),
        ),
        migrations.AddField(
            model_name='sealanchor',
            name='institution',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clinic.institution'),
        ),
        migrations.AddField(
            model_name='seallink',
            name='institution',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='clinic.institution'),
        ),
        migrations.AddField(
            model_name='seallink',
            name='seal',
            field=models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='link', to='emr.seal'),
        ),
        migrations.AddConstraint(
            model_name='seal',
            constraint=models.UniqueConstraint(condition=models.Q(('correction', None)), fields=('note',), name='seal_once'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='seal',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='f44d71d67c71cc09de8e90e973a591187224c8de', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_a2791', table='emr_seal', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='sealanchor',
            constraint=models.UniqueConstraint(fields=('institution', 'day'), name='seal_anchor_day'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='sealanchor',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='9d50944c6adedfaa28ce84f9157b851cbdcc82ad', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_c87a4', table='emr_sealanchor', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='seallink',
            constraint=models.UniqueConstraint(fields=('institution', 'position'), name='seal_link_position'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='seallink',
            trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='37299befb305a2dbd351c8dc23a0f82b60e9e881', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_ddc16', table='emr_seallink', when='BEFORE')),
        ),
        migrations.RunSQL(KEEP_UUID, "DROP FUNCTION emr_uuid_keep() CASCADE"),
    ]
