"""Questions to the ledger."""

from apps.portfolios.queries.portfolios import account_of, accounts_of, policy_of, portfolio_of, portfolios_of

__all__ = ["account_of", "accounts_of", "policy_of", "portfolio_of", "portfolios_of"]
