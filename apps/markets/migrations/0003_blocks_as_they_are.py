"""Keep packed blocks as they are: the database's own compression gains nothing on them and costs time."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("markets", "0002_candles")]

    operations = [
        migrations.RunSQL(
            sql="ALTER TABLE markets_candleblock ALTER COLUMN data SET STORAGE EXTERNAL",
            reverse_sql="ALTER TABLE markets_candleblock ALTER COLUMN data SET STORAGE EXTENDED",
        )
    ]
