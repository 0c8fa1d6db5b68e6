"""The database keeps the ledger: a transaction may be marked as reversed, once, and goes only with its portfolio."""

from django.db import migrations

OF_PORTFOLIO = (
    "policyperiod",
    "account",
    "batch",
    "transaction",
    "valuation",
    "bookedresult",
    "holding",
)
CASCADES = "".join(
    f"""
ALTER TABLE portfolios_{table} ADD CONSTRAINT portfolios_{table}_of_portfolio
    FOREIGN KEY (portfolio_id) REFERENCES portfolios_portfolio (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;
"""
    for table in OF_PORTFOLIO
)
NO_CASCADES = "".join(
    f"ALTER TABLE portfolios_{table} DROP CONSTRAINT portfolios_{table}_of_portfolio;\n" for table in OF_PORTFOLIO
)
PARTS = """
ALTER TABLE portfolios_bookedpart ADD CONSTRAINT portfolios_bookedpart_of_result
    FOREIGN KEY (result_id) REFERENCES portfolios_bookedresult (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;
"""
NO_PARTS = "ALTER TABLE portfolios_bookedpart DROP CONSTRAINT portfolios_bookedpart_of_result;\n"
TRIGGER = """
CREATE FUNCTION portfolios_transaction_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    told portfolios_transaction;
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF NOT EXISTS (SELECT 1 FROM portfolios_portfolio WHERE id = OLD.portfolio_id) THEN
            RETURN OLD;
        END IF;
    ELSIF OLD.reversed_in_id IS NULL AND NEW.reversed_in_id IS NOT NULL THEN
        told := NEW;
        told.reversed_in_id := NULL;
        IF told IS NOT DISTINCT FROM OLD THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'The ledger is append-only.' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER portfolios_transaction_append_only BEFORE UPDATE OR DELETE ON portfolios_transaction
    FOR EACH ROW EXECUTE FUNCTION portfolios_transaction_append_only();
"""
NO_TRIGGER = """
DROP TRIGGER portfolios_transaction_append_only ON portfolios_transaction;
DROP FUNCTION portfolios_transaction_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("portfolios", "0001_ledger")]

    operations = [
        migrations.RunSQL(CASCADES, NO_CASCADES),
        migrations.RunSQL(PARTS, NO_PARTS),
        migrations.RunSQL(TRIGGER, NO_TRIGGER),
    ]
