"""Syncs, how far each stream is read, and the rows as venues sent them."""

import apps.core.clock
import apps.core.ids
import django.db.models.deletion
from decimal import Decimal
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('exchanges', '0001_connections'),
        ('portfolios', '0011_share_links'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='StoredRow',
            fields=[
                ('id', models.UUIDField(default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('stream', models.CharField(max_length=40, verbose_name='stream')),
                ('symbol', models.CharField(blank=True, max_length=80, verbose_name='symbol')),
                ('external_id', models.CharField(max_length=200, verbose_name='id at the exchange')),
                ('at', models.DateTimeField(verbose_name='at')),
                ('payload', models.BinaryField(verbose_name='payload')),
                ('payload_hash', models.BinaryField(max_length=32, verbose_name='hash of the payload')),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('posted', 'Posted'), ('nothing', 'Needs no entry'), ('problem', 'Has a problem')], default='waiting', max_length=8, verbose_name='state')),
                ('problem_code', models.CharField(blank=True, max_length=64, verbose_name='problem')),
                ('problem_detail', models.CharField(blank=True, max_length=500, verbose_name='what the problem is')),
                ('connection', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='rows', to='exchanges.connection', verbose_name='connection')),
            ],
            options={
                'verbose_name': 'row of an exchange',
                'verbose_name_plural': 'rows of exchanges',
                'ordering': ['connection', 'at', 'id'],
                'indexes': [models.Index(condition=models.Q(('state__in', ('waiting', 'problem'))), fields=['connection', 'at'], name='stored_row_open')],
                'constraints': [models.UniqueConstraint(fields=('connection', 'stream', 'symbol', 'external_id'), name='stored_row_once'), models.CheckConstraint(condition=models.Q(('state__in', ['waiting', 'posted', 'nothing', 'problem'])), name='stored_row_state_is_known'), models.CheckConstraint(condition=models.Q(('external_id', ''), _negated=True), name='stored_row_has_an_id')],
            },
        ),
        migrations.CreateModel(
            name='StreamState',
            fields=[
                ('id', models.UUIDField(default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('stream', models.CharField(max_length=40, verbose_name='stream')),
                ('symbol', models.CharField(blank=True, max_length=80, verbose_name='symbol')),
                ('state', models.CharField(choices=[('running', 'being read'), ('complete', 'complete'), ('partial', 'with a gap')], default='running', max_length=8, verbose_name='state')),
                ('cursor', models.JSONField(blank=True, null=True, verbose_name='cursor')),
                ('pass_since', models.DateTimeField(blank=True, null=True, verbose_name='pass from')),
                ('pass_until', models.DateTimeField(blank=True, null=True, verbose_name='pass to')),
                ('covered_from', models.DateTimeField(blank=True, null=True, verbose_name='covered from')),
                ('covered_to', models.DateTimeField(blank=True, null=True, verbose_name='covered to')),
                ('rows', models.PositiveBigIntegerField(default=0, verbose_name='rows')),
                ('read_in', models.UUIDField(blank=True, null=True, verbose_name='read in')),
                ('read_at', models.DateTimeField(blank=True, null=True, verbose_name='read at')),
                ('problem_code', models.CharField(blank=True, max_length=64, verbose_name='problem')),
                ('problem_detail', models.CharField(blank=True, max_length=500, verbose_name='what the problem is')),
                ('connection', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='streams', to='exchanges.connection', verbose_name='connection')),
            ],
            options={
                'verbose_name': 'stream',
                'verbose_name_plural': 'streams',
                'ordering': ['connection', 'stream', 'symbol'],
                'constraints': [models.UniqueConstraint(fields=('connection', 'stream', 'symbol'), name='stream_state_once'), models.CheckConstraint(condition=models.Q(('state__in', ['running', 'complete', 'partial'])), name='stream_state_is_known'), models.CheckConstraint(condition=models.Q(models.Q(('cursor__isnull', True), ('pass_since__isnull', True), ('pass_until__isnull', True)), models.Q(('pass_since__isnull', False), ('pass_since__lte', models.F('pass_until')), ('pass_until__isnull', False)), _connector='OR'), name='stream_state_pass_has_bounds')],
            },
        ),
        migrations.CreateModel(
            name='SyncRun',
            fields=[
                ('id', models.UUIDField(default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('state', models.CharField(choices=[('queued', 'queued'), ('running', 'running'), ('waiting', 'waiting to try again'), ('succeeded', 'succeeded'), ('failed', 'failed'), ('parked', 'parked'), ('cancelled', 'cancelled')], default='queued', max_length=12, verbose_name='state')),
                ('next_attempt_at', models.DateTimeField(default=apps.core.clock.now, verbose_name='next attempt at')),
                ('lease_until', models.DateTimeField(blank=True, null=True, verbose_name='lease until')),
                ('leased_by', models.CharField(blank=True, default='', max_length=120, verbose_name='leased by')),
                ('fence', models.PositiveBigIntegerField(default=0, verbose_name='fence')),
                ('attempts', models.PositiveSmallIntegerField(default=0, verbose_name='crashes since the last step done')),
                ('max_attempts', models.PositiveSmallIntegerField(default=3, verbose_name='crashes before it is parked')),
                ('retries', models.PositiveSmallIntegerField(default=0, verbose_name='tries again since the last step done')),
                ('progress', models.DecimalField(decimal_places=4, default=Decimal('0'), max_digits=5, verbose_name='progress')),
                ('progress_note', models.CharField(blank=True, default='', max_length=200, verbose_name='progress note')),
                ('problem_code', models.CharField(blank=True, default='', max_length=64, verbose_name='problem code')),
                ('problem_detail', models.TextField(blank=True, default='', verbose_name='problem')),
                ('request_id', models.CharField(blank=True, default='', max_length=64, verbose_name='request id')),
                ('created_at', models.DateTimeField(default=apps.core.clock.now, editable=False, verbose_name='created at')),
                ('woken_at', models.DateTimeField(blank=True, null=True, verbose_name='woken at')),
                ('started_at', models.DateTimeField(blank=True, null=True, verbose_name='started at')),
                ('finished_at', models.DateTimeField(blank=True, null=True, verbose_name='finished at')),
                ('trigger', models.CharField(choices=[('connected', 'After connecting'), ('person', 'By hand'), ('schedule', 'By itself'), ('reread', 'Read again from the beginning')], default='schedule', max_length=9, verbose_name='trigger')),
                ('fetched', models.PositiveIntegerField(default=0, verbose_name='rows fetched')),
                ('fresh', models.PositiveIntegerField(default=0, verbose_name='rows that were new')),
                ('posted', models.PositiveIntegerField(default=0, verbose_name='entries posted')),
                ('duplicates', models.PositiveIntegerField(default=0, verbose_name='entries known already')),
                ('refused', models.PositiveIntegerField(default=0, verbose_name='rows with a problem')),
                ('requests', models.PositiveIntegerField(default=0, verbose_name='requests made')),
                ('busy_ms', models.PositiveBigIntegerField(default=0, verbose_name='time at work')),
                ('problems', models.JSONField(default=list, verbose_name='problems')),
                ('saw_nothing', models.BooleanField(default=False, verbose_name='no balance was named')),
                ('batch', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='sync_runs', to='portfolios.batch', verbose_name='batch')),
                ('connection', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='runs', to='exchanges.connection', verbose_name='connection')),
                ('owner', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='owner')),
            ],
            options={
                'verbose_name': 'sync',
                'verbose_name_plural': 'syncs',
                'ordering': ['-id'],
                'abstract': False,
                'indexes': [models.Index(condition=models.Q(('state__in', ('queued', 'waiting'))), fields=['next_attempt_at', 'id'], name='syncrun_due'), models.Index(condition=models.Q(('state', 'running')), fields=['lease_until'], name='syncrun_lapsed'), models.Index(fields=['owner', '-id'], name='syncrun_owner'), models.Index(fields=['connection', '-id'], name='sync_run_newest')],
                'constraints': [models.CheckConstraint(condition=models.Q(('progress__gte', 0), ('progress__lte', 1)), name='exchanges_syncrun_progress_is_a_fraction'), models.CheckConstraint(condition=models.Q(('state__in', ['queued', 'running', 'waiting', 'succeeded', 'failed', 'parked', 'cancelled'])), name='exchanges_syncrun_state_is_known'), models.CheckConstraint(condition=models.Q(models.Q(('lease_until__isnull', False), ('state', 'running')), models.Q(models.Q(('state', 'running'), _negated=True), ('lease_until__isnull', True)), _connector='OR'), name='exchanges_syncrun_running_has_a_lease'), models.CheckConstraint(condition=models.Q(models.Q(('finished_at__isnull', False), ('state__in', ('succeeded', 'failed', 'parked', 'cancelled'))), models.Q(models.Q(('state__in', ('succeeded', 'failed', 'parked', 'cancelled')), _negated=True), ('finished_at__isnull', True)), _connector='OR'), name='exchanges_syncrun_over_has_an_end'), models.CheckConstraint(condition=models.Q(('attempts__lte', models.F('max_attempts'))), name='exchanges_syncrun_attempts_end'), models.CheckConstraint(condition=models.Q(('trigger__in', ['connected', 'person', 'schedule', 'reread'])), name='sync_run_trigger_is_known'), models.UniqueConstraint(condition=models.Q(('state__in', ('queued', 'running', 'waiting'))), fields=('connection',), name='sync_run_one_at_once')],
            },
        ),
    ]
