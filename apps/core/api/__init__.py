"""How every app offers REST: problem details, pages, limits, idempotency keys, documentation."""
