"""Rules of booking that a portable file carries: kept beside its import, and those that they took the place of."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("portfolios", "0011_share_links")]

    operations = [
        migrations.AddField(
            model_name='fileimport',
            name='former_rules',
            field=models.JSONField(blank=True, default=None, null=True, verbose_name='rules that those took the place of'),
        ),
        migrations.AddField(
            model_name='fileimport',
            name='rules',
            field=models.JSONField(blank=True, default=None, null=True, verbose_name='rules of booking in the file'),
        ),
        migrations.AddField(
            model_name='importwork',
            name='with_policy',
            field=models.BooleanField(default=False, verbose_name='with the rules of the file'),
        ),
    ]
