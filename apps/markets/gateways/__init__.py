"""The exchanges as Coinsphere sees them: public data, read only, without keys."""
