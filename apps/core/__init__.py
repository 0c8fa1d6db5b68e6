"""The kernel: money, clock, events, jobs, errors, vault, http, breaker; it knows no product noun."""
