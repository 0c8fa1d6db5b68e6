"""Import templates: choices kept under a name, with the head line by which their files are known."""

import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

import apps.core.clock
import apps.core.ids


class Migration(migrations.Migration):

    dependencies = [
        ('portfolios', '0012_import_rules'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='fileimport',
            name='head',
            field=models.JSONField(default=list, verbose_name='columns of the file'),
        ),
        migrations.CreateModel(
            name='ImportTemplate',
            fields=[
                ('id', models.UUIDField(default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=80, verbose_name='name')),
                ('format', models.CharField(max_length=32, verbose_name='format')),
                ('account_name', models.CharField(blank=True, max_length=80, verbose_name='account')),
                ('mapping', models.JSONField(default=dict, verbose_name='mapping')),
                ('head', models.JSONField(default=list, verbose_name='columns of the file')),
                ('created_at', models.DateTimeField(default=apps.core.clock.now, editable=False, verbose_name='created')),
                ('used_at', models.DateTimeField(blank=True, null=True, verbose_name='last used')),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='import_templates', to=settings.AUTH_USER_MODEL, verbose_name='owner')),
            ],
            options={
                'verbose_name': 'import template',
                'verbose_name_plural': 'import templates',
                'ordering': ['id'],
                'constraints': [models.UniqueConstraint(models.F('owner'), django.db.models.functions.text.Lower('name'), name='import_template_name_once'), models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='import_template_has_a_name')],
            },
        ),
    ]
