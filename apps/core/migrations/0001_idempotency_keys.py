import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [migrations.swappable_dependency(settings.AUTH_USER_MODEL)]

    operations = [
        migrations.CreateModel(
            name="IdempotencyKey",
            fields=[
                ("lookup", models.CharField(editable=False, max_length=64, primary_key=True, serialize=False)),
                ("path", models.CharField(max_length=300, verbose_name="path")),
                ("fingerprint", models.CharField(editable=False, max_length=64, verbose_name="hash of the body")),
                ("claim", models.UUIDField(editable=False, verbose_name="who is answering")),
                ("claimed_until", models.DateTimeField(verbose_name="in flight until")),
                ("status", models.PositiveSmallIntegerField(null=True, verbose_name="status")),
                ("answer", models.BinaryField(editable=False, null=True, verbose_name="answer")),
                ("is_sealed", models.BooleanField(default=False, verbose_name="sealed")),
                ("created_at", models.DateTimeField(verbose_name="created")),
                (
                    "owner",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "idempotency key",
                "verbose_name_plural": "idempotency keys",
                "indexes": [models.Index(fields=["created_at"], name="idempotency_key_age")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("answer__isnull", True), ("status__isnull", True)),
                            models.Q(("answer__isnull", False), ("status__isnull", False)),
                            _connector="OR",
                        ),
                        name="idempotency_answer_whole",
                    ),
                ],
            },
        ),
    ]
