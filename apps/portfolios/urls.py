"""Addresses of the pages of the ledger, and of the ledger in the API."""

from django.urls import URLPattern, path

from apps.portfolios import views
from apps.portfolios.api import portfolios, transactions

app_name = "portfolios"

_ONE = "portfolios/<uuid:portfolio_id>"

api_urlpatterns: list[URLPattern] = [
    path("portfolios", portfolios.PortfoliosView.as_view(), name="portfolios"),
    path(_ONE, portfolios.PortfolioView.as_view(), name="portfolio"),
    path(f"{_ONE}/accounts", portfolios.AccountsView.as_view(), name="accounts"),
    path(f"{_ONE}/accounts/<uuid:account_id>", portfolios.AccountView.as_view(), name="account"),
    path(f"{_ONE}/transactions", transactions.TransactionsView.as_view(), name="transactions"),
    path(f"{_ONE}/transactions/<uuid:transaction_id>", transactions.TransactionView.as_view(), name="transaction"),
    path(f"{_ONE}/batches", transactions.BatchesView.as_view(), name="batches"),
    path(f"{_ONE}/batches/<uuid:batch_id>", transactions.BatchView.as_view(), name="batch"),
    path(f"{_ONE}/batches/<uuid:batch_id>/undo", transactions.UndoBatchView.as_view(), name="undo-batch"),
]

urlpatterns = [
    path("portfolio/choose/", views.choose, name="choose"),
    path("transactions/", views.transactions, name="transactions"),
    path("transactions/new/", views.new_transaction, name="new_transaction"),
    path("transactions/<uuid:transaction_id>/", views.transaction, name="transaction"),
    path("transactions/<uuid:transaction_id>/correct/", views.correct_transaction, name="correct_transaction"),
    path("transactions/<uuid:transaction_id>/reverse/", views.reverse_transaction, name="reverse_transaction"),
]
