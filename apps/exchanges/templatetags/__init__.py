"""Words of the exchanges' pages."""
