"""Checkpoints of booking: states at rest, lots by basis, parts by stretch, and since when a ledger changed.

Two indexes find what booking asks of the whole ledger first: entries without a value, and transfers without a side.
Results are made anew from the ledger, so those of the old shape go; every portfolio is booked again by the sweep.
"""

import django.db.models.deletion
from django.db import migrations, models

import apps.core.ids

TABLES = (("ledgerchange", "portfolio"), ("checkpoint", "result"), ("bookedlots", "result"))
OF = {"portfolio": "portfolios_portfolio", "result": "portfolios_bookedresult"}
CASCADES = "".join(
    f"""
ALTER TABLE portfolios_{table} ADD CONSTRAINT portfolios_{table}_goes_along
    FOREIGN KEY ({owner}_id) REFERENCES {OF[owner]} (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;
"""
    for table, owner in TABLES
)
NO_CASCADES = "".join(
    f"ALTER TABLE portfolios_{table} DROP CONSTRAINT portfolios_{table}_goes_along;\n" for table, _owner in TABLES
)
BOOK_AGAIN = """
DELETE FROM portfolios_bookedresult;
UPDATE portfolios_portfolio SET booked_version = 0;
SET CONSTRAINTS ALL IMMEDIATE;
SET CONSTRAINTS ALL DEFERRED;
"""

UNTOLD = (
    models.Q(("type", "trade"), ("value", None))
    | models.Q(("price", None), ("type__in", ["buy", "sell", "income", "spend", "fee"]), ("value", None))
    | models.Q(("fee_value", None), ("received__lt", models.F("amount")), ("type", "transfer"))
    | models.Q(("fee__gt", 0), ("fee_value", None), models.Q(("fee_asset", ""), _negated=True))
    | models.Q(("quote", ""), _negated=True)
)
LOOSE = models.Q(("type", "transfer"), models.Q(("from_account", None), ("to_account", None), _connector="OR"))


def _of(model: str, related_name: str, verbose_name: str) -> models.ForeignKey:
    return models.ForeignKey(
        db_constraint=False,
        on_delete=django.db.models.deletion.DO_NOTHING,
        related_name=related_name,
        to=f"portfolios.{model}",
        verbose_name=verbose_name,
    )


def _id() -> models.UUIDField:
    return models.UUIDField(default=apps.core.ids.uuid7, editable=False, primary_key=True, serialize=False)


class Migration(migrations.Migration):
    dependencies = [("portfolios", "0007_import_work")]

    operations = [
        migrations.RunSQL(BOOK_AGAIN, migrations.RunSQL.noop),
        migrations.RemoveConstraint(model_name="bookedpart", name="booked_part_once"),
        migrations.AddField(
            model_name="bookedpart",
            name="start",
            field=models.PositiveIntegerField(default=0, verbose_name="entries before it"),
        ),
        migrations.AddConstraint(
            model_name="bookedpart",
            constraint=models.UniqueConstraint(fields=("result", "name", "start"), name="booked_part_once"),
        ),
        migrations.AlterModelOptions(
            name="bookedpart",
            options={
                "ordering": ["result", "name", "start"],
                "verbose_name": "part of a booked result",
                "verbose_name_plural": "parts of booked results",
            },
        ),
        migrations.AddField(
            model_name="bookedresult",
            name="revision",
            field=models.PositiveBigIntegerField(default=0, verbose_name="times it was written"),
        ),
        migrations.CreateModel(
            name="LedgerChange",
            fields=[
                ("id", _id()),
                ("version", models.PositiveBigIntegerField(verbose_name="version of the ledger")),
                ("since", models.DateTimeField(verbose_name="changed since")),
                ("portfolio", _of("portfolio", "changes", "portfolio")),
            ],
            options={
                "verbose_name": "change of a ledger",
                "verbose_name_plural": "changes of ledgers",
                "ordering": ["portfolio", "version"],
                "constraints": [
                    models.UniqueConstraint(fields=("portfolio", "version"), name="ledger_change_once"),
                ],
            },
        ),
        migrations.CreateModel(
            name="Checkpoint",
            fields=[
                ("id", _id()),
                ("position", models.PositiveIntegerField(verbose_name="entries before it")),
                ("until", models.DateTimeField(verbose_name="time of the last entry before it")),
                ("chain", models.CharField(max_length=64, verbose_name="hash of the input")),
                ("body", models.BinaryField(verbose_name="body")),
                ("result", _of("bookedresult", "checkpoints", "result")),
            ],
            options={
                "verbose_name": "checkpoint of booking",
                "verbose_name_plural": "checkpoints of booking",
                "ordering": ["result", "position"],
                "constraints": [models.UniqueConstraint(fields=("result", "position"), name="checkpoint_once")],
            },
        ),
        migrations.CreateModel(
            name="BookedLots",
            fields=[
                ("id", _id()),
                ("asset", models.TextField(verbose_name="asset")),
                ("account", models.TextField(blank=True, verbose_name="account")),
                ("position", models.PositiveIntegerField(verbose_name="entries before it")),
                ("body", models.BinaryField(verbose_name="body")),
                ("result", _of("bookedresult", "lots", "result")),
            ],
            options={
                "verbose_name": "booked lots",
                "verbose_name_plural": "booked lots",
                "ordering": ["result", "asset", "account", "position"],
                "constraints": [
                    models.UniqueConstraint(fields=("result", "asset", "account", "position"), name="booked_lots_once"),
                ],
            },
        ),
        migrations.RunSQL(CASCADES, NO_CASCADES),
        migrations.AddIndex(
            model_name="transaction",
            index=models.Index(
                condition=models.Q(UNTOLD, ("reversed_in", None)),
                fields=["portfolio", "-at"],
                name="transaction_untold",
            ),
        ),
        migrations.AddIndex(
            model_name="transaction",
            index=models.Index(
                condition=LOOSE & models.Q(("reversed_in", None)), fields=["portfolio"], name="transaction_loose"
            ),
        ),
    ]
