from django.db import migrations, models

import apps.core.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="ProcessBeat",
            fields=[
                (
                    "id",
                    models.UUIDField(default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("name", models.CharField(max_length=40, verbose_name="process")),
                ("host", models.CharField(max_length=255, verbose_name="machine")),
                ("pid", models.PositiveIntegerField(verbose_name="process id")),
                ("version", models.CharField(max_length=40, verbose_name="version")),
                ("detail", models.JSONField(default=dict, verbose_name="detail")),
                ("started_at", models.DateTimeField(verbose_name="started")),
                ("last_seen_at", models.DateTimeField(verbose_name="last heard")),
            ],
            options={
                "verbose_name": "process",
                "verbose_name_plural": "processes",
                "ordering": ["name", "host"],
                "constraints": [models.UniqueConstraint(fields=("name", "host"), name="process_beat_once")],
            },
        ),
    ]
