"""PostgreSQL as the product speaks to it: bounded waiting, cheap connections, and prepared questions."""
