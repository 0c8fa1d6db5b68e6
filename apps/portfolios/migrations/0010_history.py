"""The days that a ledger was lived through are kept, in blocks."""

import django.db.models.deletion
from django.db import migrations, models

import apps.core.ids

TABLES = ("historycourse", "historyblock")
CASCADES = "".join(
    f"""
ALTER TABLE portfolios_{table} ADD CONSTRAINT portfolios_{table}_of_portfolio
    FOREIGN KEY (portfolio_id) REFERENCES portfolios_portfolio (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;
"""
    for table in TABLES
)
NO_CASCADES = "".join(
    f"ALTER TABLE portfolios_{table} DROP CONSTRAINT portfolios_{table}_of_portfolio;\n" for table in TABLES
)


class Migration(migrations.Migration):
    dependencies = [("portfolios", "0009_frozen_years")]

    operations = [
        migrations.CreateModel(
            name="HistoryCourse",
            fields=[
                (
                    "portfolio",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="course",
                        serialize=False,
                        to="portfolios.portfolio",
                        verbose_name="portfolio",
                    ),
                ),
                ("revision", models.PositiveBigIntegerField(default=0, verbose_name="revision")),
                ("base", models.CharField(max_length=64, verbose_name="money, world and names")),
                ("ledger", models.CharField(max_length=64, verbose_name="state of the ledger")),
                ("markets", models.CharField(max_length=64, verbose_name="state of the prices")),
                ("last_day", models.IntegerField(verbose_name="last day, counted from 1970-01-01")),
                ("assets", models.JSONField(default=list, verbose_name="assets of the ledger")),
                ("ways", models.JSONField(default=dict, verbose_name="markets by asset")),
                ("made_at", models.DateTimeField(verbose_name="made")),
            ],
            options={
                "verbose_name": "course of a portfolio",
                "verbose_name_plural": "courses of portfolios",
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="HistoryBlock",
            fields=[
                (
                    "id",
                    models.UUIDField(default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("first_day", models.IntegerField(verbose_name="first day, counted from 1970-01-01")),
                ("last_day", models.IntegerField(verbose_name="last day")),
                ("days", models.BinaryField(verbose_name="days")),
                ("standing", models.BinaryField(verbose_name="standing at the end")),
                (
                    "portfolio",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="history_blocks",
                        to="portfolios.portfolio",
                        verbose_name="portfolio",
                    ),
                ),
            ],
            options={
                "verbose_name": "block of days",
                "verbose_name_plural": "blocks of days",
                "ordering": ["portfolio", "first_day"],
                "constraints": [
                    models.UniqueConstraint(fields=("portfolio", "first_day"), name="history_block_once"),
                    models.CheckConstraint(
                        condition=models.Q(("first_day__lte", models.F("last_day"))), name="history_block_has_days"
                    ),
                ],
            },
        ),
        migrations.RunSQL(CASCADES, NO_CASCADES),
    ]
