"""Frozen tax years: a row may only end, once, and goes only with its portfolio."""

from typing import Any

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import apps.core.clock
import apps.core.ids

CASCADES = """
ALTER TABLE portfolios_frozenyear ADD CONSTRAINT portfolios_frozenyear_of_portfolio
    FOREIGN KEY (portfolio_id) REFERENCES portfolios_portfolio (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE portfolios_frozencheck ADD CONSTRAINT portfolios_frozencheck_of_year
    FOREIGN KEY (frozen_id) REFERENCES portfolios_frozenyear (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;
"""
NO_CASCADES = """
ALTER TABLE portfolios_frozencheck DROP CONSTRAINT portfolios_frozencheck_of_year;
ALTER TABLE portfolios_frozenyear DROP CONSTRAINT portfolios_frozenyear_of_portfolio;
"""
TRIGGER = """
CREATE FUNCTION portfolios_frozenyear_stays() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    told portfolios_frozenyear;
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF NOT EXISTS (SELECT 1 FROM portfolios_portfolio WHERE id = OLD.portfolio_id) THEN
            RETURN OLD;
        END IF;
    ELSE
        told := NEW;
        IF NEW.by_id IS NULL THEN
            told.by_id := OLD.by_id;
        END IF;
        IF OLD.ended_at IS NULL THEN
            told.ended_at := NULL;
            told.ended_as := OLD.ended_as;
            told.ended_by_id := OLD.ended_by_id;
            told.reason := OLD.reason;
        ELSIF NEW.ended_by_id IS NULL THEN
            told.ended_by_id := OLD.ended_by_id;
        END IF;
        IF told IS NOT DISTINCT FROM OLD THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'A frozen year stays as it is.' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER portfolios_frozenyear_stays BEFORE UPDATE OR DELETE ON portfolios_frozenyear
    FOR EACH ROW EXECUTE FUNCTION portfolios_frozenyear_stays();
"""
NO_TRIGGER = """
DROP TRIGGER portfolios_frozenyear_stays ON portfolios_frozenyear;
DROP FUNCTION portfolios_frozenyear_stays();
"""


def _person(label: str) -> models.ForeignKey[Any, Any]:
    return models.ForeignKey(
        blank=True,
        null=True,
        on_delete=django.db.models.deletion.SET_NULL,
        related_name="+",
        to=settings.AUTH_USER_MODEL,
        verbose_name=label,
    )


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("portfolios", "0008_checkpoints"),
    ]

    operations = [
        migrations.CreateModel(
            name="FrozenYear",
            fields=[
                (
                    "id",
                    models.UUIDField(default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False),
                ),
                ("year", models.PositiveSmallIntegerField(verbose_name="year")),
                ("currency", models.CharField(max_length=16, verbose_name="money of account")),
                ("policy", models.JSONField(default=dict, verbose_name="policy")),
                ("version", models.PositiveBigIntegerField(verbose_name="version of the ledger")),
                ("input_hash", models.CharField(max_length=64, verbose_name="hash of the input")),
                ("result_hash", models.CharField(max_length=64, verbose_name="hash of the figures")),
                ("totals", models.JSONField(default=dict, verbose_name="totals")),
                ("issues", models.JSONField(default=list, verbose_name="open issues that were accepted")),
                ("body", models.BinaryField(verbose_name="figures")),
                ("note", models.CharField(blank=True, max_length=200, verbose_name="note")),
                ("at", models.DateTimeField(default=apps.core.clock.now, verbose_name="frozen at")),
                (
                    "ended_as",
                    models.CharField(
                        blank=True,
                        choices=[("unlocked", "Unlocked"), ("replaced", "Frozen anew")],
                        max_length=8,
                        verbose_name="how it ended",
                    ),
                ),
                ("ended_at", models.DateTimeField(blank=True, null=True, verbose_name="ended at")),
                ("reason", models.CharField(blank=True, max_length=200, verbose_name="reason")),
                ("by", _person("by")),
                ("ended_by", _person("ended by")),
                (
                    "portfolio",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="frozen_years",
                        to="portfolios.portfolio",
                        verbose_name="portfolio",
                    ),
                ),
            ],
            options={
                "verbose_name": "frozen year",
                "verbose_name_plural": "frozen years",
                "ordering": ["-id"],
                "indexes": [models.Index(fields=["portfolio", "year", "-id"], name="frozen_year_trail")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)),
                        fields=("portfolio", "year"),
                        name="frozen_year_stands_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("ended_as", ""), ("ended_at", None)),
                            models.Q(("ended_as__in", ["unlocked", "replaced"]), ("ended_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="frozen_year_ends_somehow",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="FrozenCheck",
            fields=[
                (
                    "frozen",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="check_made",
                        serialize=False,
                        to="portfolios.frozenyear",
                        verbose_name="frozen year",
                    ),
                ),
                ("version", models.PositiveBigIntegerField(verbose_name="version of the ledger")),
                ("differs", models.BooleanField(verbose_name="differs")),
                ("moved", models.TextField(default="0", verbose_name="change of gain and income")),
            ],
            options={
                "verbose_name": "check of a frozen year",
                "verbose_name_plural": "checks of frozen years",
                "ordering": ["pk"],
            },
        ),
        migrations.RunSQL(CASCADES, NO_CASCADES),
        migrations.RunSQL(TRIGGER, NO_TRIGGER),
    ]
