"""The world below the product: embedded services, database dumps, sealed files."""
