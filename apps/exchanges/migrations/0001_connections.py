"""Connections with exchanges, their sealed keys, and the log of their use, which the database keeps."""

import apps.core.clock
import apps.core.ids
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

CASCADES = """
ALTER TABLE exchanges_keyuse ADD CONSTRAINT exchanges_keyuse_of_connection
    FOREIGN KEY (connection_id) REFERENCES exchanges_connection (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE exchanges_venueaccount ADD CONSTRAINT exchanges_venueaccount_of_account
    FOREIGN KEY (account_id) REFERENCES portfolios_account (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;
"""
NO_CASCADES = """
ALTER TABLE exchanges_venueaccount DROP CONSTRAINT exchanges_venueaccount_of_account;
ALTER TABLE exchanges_keyuse DROP CONSTRAINT exchanges_keyuse_of_connection;
"""
TRIGGER = """
CREATE FUNCTION exchanges_keyuse_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND (
        (OLD.purpose = 'sync' AND OLD.at < statement_timestamp() - interval '30 days')
        OR NOT EXISTS (SELECT 1 FROM exchanges_connection WHERE id = OLD.connection_id)
    ) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'The log of key use is append-only.' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER exchanges_keyuse_append_only BEFORE UPDATE OR DELETE ON exchanges_keyuse
    FOR EACH ROW EXECUTE FUNCTION exchanges_keyuse_append_only();
"""
NO_TRIGGER = """
DROP TRIGGER exchanges_keyuse_append_only ON exchanges_keyuse;
DROP FUNCTION exchanges_keyuse_append_only();
"""


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('portfolios', '0011_share_links'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='VenueAccount',
            fields=[
                ('account', models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, primary_key=True, related_name='venue_account', serialize=False, to='portfolios.account', verbose_name='account')),
                ('exchange', models.CharField(max_length=32, verbose_name='exchange')),
                ('name', models.CharField(blank=True, max_length=80, verbose_name='account at the exchange')),
                ('is_simulated', models.BooleanField(default=False, verbose_name='simulated')),
            ],
            options={
                'verbose_name': 'account at an exchange',
                'verbose_name_plural': 'accounts at exchanges',
                'ordering': ['pk'],
            },
        ),
        migrations.CreateModel(
            name='Connection',
            fields=[
                ('id', models.UUIDField(default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('exchange', models.CharField(max_length=32, verbose_name='exchange')),
                ('label', models.CharField(max_length=80, verbose_name='label')),
                ('state', models.CharField(choices=[('active', 'Active'), ('paused', 'Paused'), ('error', 'Needs you'), ('revoked', 'Key refused')], default='active', max_length=8, verbose_name='state')),
                ('problem_code', models.CharField(blank=True, max_length=64, verbose_name='problem')),
                ('problem_detail', models.CharField(blank=True, max_length=500, verbose_name='what the problem is')),
                ('certified', models.BooleanField(default=True, verbose_name='tested with this exchange')),
                ('is_simulated', models.BooleanField(default=False, verbose_name='simulated')),
                ('venue_account', models.CharField(blank=True, max_length=80, verbose_name='account at the exchange')),
                ('key_hint', models.CharField(max_length=16, verbose_name='key')),
                ('key_fingerprint', models.CharField(editable=False, max_length=64)),
                ('rights', models.JSONField(default=dict, verbose_name='rights of the key')),
                ('rights_checked_at', models.DateTimeField(blank=True, null=True, verbose_name='rights looked at')),
                ('key_changed_at', models.DateTimeField(verbose_name='key since')),
                ('last_used_at', models.DateTimeField(blank=True, null=True, verbose_name='key last used')),
                ('hints', models.JSONField(blank=True, default=list, verbose_name='markets to look at')),
                ('history_from', models.DateTimeField(blank=True, null=True, verbose_name='history is read from')),
                ('next_run_at', models.DateTimeField(blank=True, null=True, verbose_name='next sync')),
                ('paused_at', models.DateTimeField(blank=True, null=True, verbose_name='paused')),
                ('created_at', models.DateTimeField(default=apps.core.clock.now, editable=False, verbose_name='connected')),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.RESTRICT, related_name='connections', to='portfolios.account', verbose_name='account')),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='connections', to=settings.AUTH_USER_MODEL, verbose_name='owner')),
                ('portfolio', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='connections', to='portfolios.portfolio', verbose_name='portfolio')),
            ],
            options={
                'verbose_name': 'connection',
                'verbose_name_plural': 'connections',
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='KeyUse',
            fields=[
                ('id', models.UUIDField(default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('at', models.DateTimeField(verbose_name='at')),
                ('purpose', models.CharField(choices=[('connect', 'Connecting'), ('replace', 'Replacing the key'), ('rights', 'Looking at its rights'), ('sync', 'Sync')], max_length=8, verbose_name='for')),
                ('key_hint', models.CharField(max_length=16, verbose_name='key')),
                ('request_id', models.CharField(blank=True, max_length=64, verbose_name='request id')),
                ('connection', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='key_uses', to='exchanges.connection', verbose_name='connection')),
            ],
            options={
                'verbose_name': 'use of a key',
                'verbose_name_plural': 'uses of keys',
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='SealedSecret',
            fields=[
                ('id', models.UUIDField(default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('field', models.CharField(max_length=32, verbose_name='field')),
                ('sealed', models.BinaryField()),
                ('key_version', models.PositiveBigIntegerField(verbose_name='version of the master key')),
                ('changed_at', models.DateTimeField(verbose_name='changed')),
                ('connection', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='secrets', to='exchanges.connection', verbose_name='connection')),
            ],
            options={
                'verbose_name': 'sealed secret',
                'verbose_name_plural': 'sealed secrets',
                'ordering': ['connection', 'field'],
            },
        ),
        migrations.AddIndex(
            model_name='connection',
            index=models.Index(condition=models.Q(('state__in', ('active', 'error'))), fields=['next_run_at'], name='connection_due'),
        ),
        migrations.AddConstraint(
            model_name='connection',
            constraint=models.UniqueConstraint(fields=('owner', 'exchange', 'key_fingerprint'), name='connection_key_once'),
        ),
        migrations.AddConstraint(
            model_name='connection',
            constraint=models.UniqueConstraint(fields=('account',), name='connection_account_once'),
        ),
        migrations.AddConstraint(
            model_name='connection',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['active', 'paused', 'error', 'revoked'])), name='connection_state_is_known'),
        ),
        migrations.AddConstraint(
            model_name='connection',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'paused'), _negated=True), ('paused_at__isnull', False), _connector='OR'), name='connection_paused_since'),
        ),
        migrations.AddConstraint(
            model_name='connection',
            constraint=models.CheckConstraint(condition=models.Q(('label', ''), _negated=True), name='connection_has_a_label'),
        ),
        migrations.AddConstraint(
            model_name='connection',
            constraint=models.CheckConstraint(condition=models.Q(('key_fingerprint__regex', '^[0-9a-f]{64}$')), name='connection_keeps_a_hash'),
        ),
        migrations.AddIndex(
            model_name='keyuse',
            index=models.Index(fields=['connection', '-id'], name='key_use_newest'),
        ),
        migrations.AddConstraint(
            model_name='keyuse',
            constraint=models.CheckConstraint(condition=models.Q(('purpose__in', ['connect', 'replace', 'rights', 'sync'])), name='key_use_purpose_is_known'),
        ),
        migrations.AddIndex(
            model_name='sealedsecret',
            index=models.Index(fields=['key_version', 'id'], name='sealed_secret_version'),
        ),
        migrations.AddConstraint(
            model_name='sealedsecret',
            constraint=models.UniqueConstraint(fields=('connection', 'field'), name='sealed_secret_once'),
        ),
        migrations.RunSQL(CASCADES, NO_CASCADES),
        migrations.RunSQL(TRIGGER, NO_TRIGGER),
    ]
