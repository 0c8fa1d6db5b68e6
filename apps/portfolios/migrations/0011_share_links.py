import django.db.models.deletion
from django.db import migrations, models

import apps.core.ids


class Migration(migrations.Migration):

    dependencies = [
        ('portfolios', '0010_history'),
    ]

    operations = [
        migrations.CreateModel(
            name='ShareLink',
            fields=[
                ('id', models.UUIDField(default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('purpose', models.CharField(choices=[('portfolio', 'The portfolio'), ('tax_year', 'One tax year')], max_length=12, verbose_name='opens')),
                ('year', models.PositiveSmallIntegerField(blank=True, null=True, verbose_name='year')),
                ('shows', models.CharField(choices=[('percentages', 'Percentages only'), ('full', 'Everything, amounts included')], max_length=12, verbose_name='shows')),
                ('name', models.CharField(blank=True, max_length=80, verbose_name='name')),
                ('fingerprint', models.CharField(editable=False, max_length=64, unique=True)),
                ('created_at', models.DateTimeField(verbose_name='created')),
                ('expires_at', models.DateTimeField(verbose_name='expires')),
                ('revoked_at', models.DateTimeField(blank=True, null=True, verbose_name='revoked')),
                ('first_opened_at', models.DateTimeField(blank=True, null=True, verbose_name='first opened')),
                ('last_opened_at', models.DateTimeField(blank=True, null=True, verbose_name='last opened')),
                ('opened', models.PositiveIntegerField(default=0, verbose_name='times opened')),
                ('portfolio', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='share_links', to='portfolios.portfolio', verbose_name='portfolio')),
            ],
            options={
                'verbose_name': 'share link',
                'verbose_name_plural': 'share links',
                'ordering': ['-id'],
                'indexes': [models.Index(fields=['portfolio', '-id'], name='share_newest')],
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('purpose__in', ['portfolio', 'tax_year'])), name='share_purpose_is_known'),
                    models.CheckConstraint(condition=models.Q(('shows__in', ['percentages', 'full'])), name='share_content_is_known'),
                    models.CheckConstraint(condition=models.Q(models.Q(('purpose', 'tax_year'), ('year__isnull', False)), models.Q(('purpose', 'portfolio'), ('year__isnull', True)), _connector='OR'), name='share_year_goes_with_purpose'),
                    models.CheckConstraint(condition=models.Q(('expires_at__gt', models.F('created_at'))), name='share_ends_after_it_begins'),
                    models.CheckConstraint(condition=models.Q(('fingerprint__regex', '^[0-9a-f]{64}$')), name='share_keeps_a_hash'),
                ],
            },
        ),
        migrations.RunSQL(
            "ALTER TABLE portfolios_sharelink ADD CONSTRAINT portfolios_sharelink_goes_along "
            "FOREIGN KEY (portfolio_id) REFERENCES portfolios_portfolio (id) ON DELETE CASCADE "
            "DEFERRABLE INITIALLY DEFERRED;",
            "ALTER TABLE portfolios_sharelink DROP CONSTRAINT portfolios_sharelink_goes_along;",
        ),
    ]
