"""Addresses of the pages of the ledger, and of the ledger in the API."""

from django.urls import URLPattern, path

from apps.portfolios import views
from apps.portfolios.api import freezing, selling
from apps.portfolios.api import exports, imports, performance, portfolios, results, rules, transactions, transfers

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
    path(f"{_ONE}/export", exports.ExportView.as_view(), name="export"),
    path(f"{_ONE}/imports", imports.ImportsView.as_view(), name="imports"),
    path(f"{_ONE}/imports/<uuid:import_id>", imports.ImportView.as_view(), name="import"),
    path(f"{_ONE}/imports/<uuid:import_id>/commit", imports.CommitImportView.as_view(), name="commit-import"),
    path(f"{_ONE}/imports/<uuid:import_id>/undo", imports.UndoImportView.as_view(), name="undo-import"),
    path(f"{_ONE}/transfers", transfers.TransfersView.as_view(), name="transfers"),
    path(f"{_ONE}/transfers/match", transfers.MatchView.as_view(), name="match-transfer"),
    path(f"{_ONE}/transfers/unmatch", transfers.UnmatchView.as_view(), name="unmatch-transfer"),
    path(f"{_ONE}/policy", rules.PolicyView.as_view(), name="policy"),
    path(f"{_ONE}/policy/preview", rules.PolicyPreviewView.as_view(), name="policy-preview"),
    path(f"{_ONE}/reconciliation", rules.ReconciliationView.as_view(), name="reconciliation"),
    path(f"{_ONE}/holdings", results.HoldingsView.as_view(), name="holdings"),
    path(f"{_ONE}/lots", results.LotsView.as_view(), name="lots"),
    path(f"{_ONE}/gains", results.GainsView.as_view(), name="gains"),
    path(f"{_ONE}/performance", performance.PerformanceView.as_view(), name="performance"),
    path(f"{_ONE}/history", performance.HistoryView.as_view(), name="history"),
    path(f"{_ONE}/allocation", performance.AllocationView.as_view(), name="allocation"),
    path(f"{_ONE}/completeness", results.CompletenessView.as_view(), name="completeness"),
    path(f"{_ONE}/frozen-years", freezing.FrozenYearsView.as_view(), name="frozen-years"),
    path(f"{_ONE}/frozen-years/<int:year>", freezing.FrozenYearView.as_view(), name="frozen-year"),
    path(f"{_ONE}/frozen-years/<int:year>/accept", freezing.AcceptYearView.as_view(), name="accept-year"),
    path(f"{_ONE}/frozen-years/<int:year>/unlock", freezing.UnlockYearView.as_view(), name="unlock-year"),
    path(f"{_ONE}/sell-simulation", selling.SaleView.as_view(), name="sell-simulation"),
]

urlpatterns = [
    path("portfolio/", views.overview, name="overview"),
    path("portfolio/history/", views.history, name="history"),
    path("portfolio/performance/", views.performance, name="performance"),
    path("portfolio/holdings/<str:asset>/", views.holding, name="holding"),
    path("portfolio/holdings/<str:asset>/chart/", views.holding_chart, name="holding_chart"),
    path("portfolio/find/", views.find, name="find"),
    path("portfolio/settings/", views.settings, name="settings"),
    path("portfolio/settings/name/", views.rename, name="rename_portfolio"),
    path("portfolio/settings/new/", views.create, name="create_portfolio"),
    path("portfolio/settings/delete/", views.delete, name="delete_portfolio"),
    path("portfolio/choose/", views.choose, name="choose"),
    path("imports/", views.imports, name="imports"),
    path("imports/<uuid:import_id>/", views.import_detail, name="import"),
    path("imports/<uuid:import_id>/commit/", views.commit, name="commit_import"),
    path("imports/<uuid:import_id>/undo/", views.undo, name="undo_import"),
    path("reconciliation/", views.reconciliation, name="reconciliation"),
    path("reconciliation/mend/", views.mend, name="mend"),
    path("transfers/", views.transfers, name="transfers"),
    path("transfers/match/", views.match, name="match"),
    path("transfers/unmatch/", views.unmatch, name="unmatch"),
    path("tax/", views.tax, name="tax"),
    path("tax/<int:year>/", views.tax, name="tax_year"),
    path("tax/differences/", views.tax_differences, name="tax_differences"),
    path("tax/<int:year>/methods/", views.tax_lab, name="tax_lab"),
    path("tax/<int:year>/holdings/", views.tax_year_end, name="tax_year_end"),
    path("tax/<int:year>/freeze/", views.freeze_year, name="freeze_year"),
    path("tax/<int:year>/accept/", views.accept_year, name="accept_year"),
    path("tax/<int:year>/unlock/", views.unlock_year, name="unlock_year"),
    path("portfolio/sell/", views.sell, name="sell"),
    path("tax/<int:year>/<str:name>.csv", views.tax_file, name="tax_file"),
    path("transactions/", views.transactions, name="transactions"),
    path("transactions/new/", views.new_transaction, name="new_transaction"),
    path("transactions/<uuid:transaction_id>/", views.transaction, name="transaction"),
    path("transactions/<uuid:transaction_id>/correct/", views.correct_transaction, name="correct_transaction"),
    path("transactions/<uuid:transaction_id>/reverse/", views.reverse_transaction, name="reverse_transaction"),
]
