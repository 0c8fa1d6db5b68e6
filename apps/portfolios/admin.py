"""The ledger's tables in Django's admin; they are looked at there, what changes them is an action."""

from django.contrib import admin

from apps.core.admin import ReadOnlyAdmin
from apps.portfolios.models import (
    Account,
    AddressAnswer,
    Batch,
    BookedLots,
    BookedPart,
    BookedResult,
    Checkpoint,
    FileImport,
    FrozenCheck,
    FrozenYear,
    HistoryBlock,
    HistoryCourse,
    Holding,
    ImportTemplate,
    ImportWork,
    LedgerChange,
    ObservedBalance,
    PartedPair,
    PolicyPeriod,
    Portfolio,
    PortfolioValue,
    ShareLink,
    SourceGap,
    Transaction,
    TransferArrival,
    TransferMatch,
    Valuation,
)


@admin.register(Portfolio)
class PortfolioAdmin(ReadOnlyAdmin):
    """Ledgers of people."""

    list_display = ("name", "owner", "currency", "is_default", "version", "booked_version")
    search_fields = ("name", "owner__email")
    list_select_related = ("owner",)


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin):
    """Places where coins lie."""

    list_display = ("name", "portfolio", "kind", "exchange")
    list_filter = ("kind",)
    list_select_related = ("portfolio",)


@admin.register(Batch)
class BatchAdmin(ReadOnlyAdmin):
    """What came together."""

    list_display = ("at", "portfolio", "kind", "state", "source", "posted", "duplicates", "refused")
    list_filter = ("kind", "state")
    list_select_related = ("portfolio",)


@admin.register(Transaction)
class TransactionAdmin(ReadOnlyAdmin):
    """The ledger itself."""

    list_display = ("at", "portfolio", "account", "type", "asset", "amount", "source", "reversed_in")
    list_filter = ("type",)
    search_fields = ("external_id", "tx_hash")
    list_select_related = ("portfolio", "account", "reversed_in")


@admin.register(FileImport)
class FileImportAdmin(ReadOnlyAdmin):
    """Files and what became of them."""

    list_display = ("created_at", "portfolio", "format", "file_name", "state", "new", "duplicates", "error_count")
    list_filter = ("state", "format")
    exclude = ("drafts",)
    list_select_related = ("portfolio",)


@admin.register(ImportTemplate)
class ImportTemplateAdmin(ReadOnlyAdmin):
    """How people's files are read."""

    list_display = ("name", "owner", "format", "account_name", "used_at")
    list_filter = ("format",)
    list_select_related = ("owner",)


@admin.register(ImportWork)
class ImportWorkAdmin(ReadOnlyAdmin):
    """Large imports under way, and those that were."""

    list_display = ("created_at", "name", "verb", "state", "progress", "attempts", "problem_code")
    list_filter = ("state", "verb")
    list_select_related = ("owner",)


@admin.register(BookedResult)
class BookedResultAdmin(ReadOnlyAdmin):
    """What was booked, by which rules."""

    list_display = ("booked_at", "portfolio", "version", "entries", "is_own", "input_hash")
    list_select_related = ("portfolio",)


@admin.register(PortfolioValue)
class PortfolioValueAdmin(ReadOnlyAdmin):
    """What portfolios are worth."""

    list_display = ("portfolio", "total", "currency", "version", "valued_at", "seen_at")
    exclude = ("body",)
    list_select_related = ("portfolio",)


@admin.register(TransferMatch)
class TransferMatchAdmin(ReadOnlyAdmin):
    """Transfers whose two sides were put together."""

    list_display = ("created_at", "portfolio", "out", "score", "by")
    list_select_related = ("portfolio", "out", "by")


@admin.register(BookedPart)
class BookedPartAdmin(ReadOnlyAdmin):
    """Parts of what was booked."""

    list_display = ("result", "name", "start")
    exclude = ("body",)
    list_select_related = ("result",)


@admin.register(BookedLots)
class BookedLotsAdmin(ReadOnlyAdmin):
    """Open lots of what was booked."""

    list_display = ("result", "asset", "account", "position")
    exclude = ("body",)
    list_select_related = ("result",)


@admin.register(Checkpoint)
class CheckpointAdmin(ReadOnlyAdmin):
    """From where booking goes on."""

    list_display = ("result", "position", "until", "chain")
    exclude = ("body",)
    list_select_related = ("result",)


@admin.register(LedgerChange)
class LedgerChangeAdmin(ReadOnlyAdmin):
    """Since when each version of a ledger changed."""

    list_display = ("portfolio", "version", "since")
    list_select_related = ("portfolio",)


@admin.register(TransferArrival)
class TransferArrivalAdmin(ReadOnlyAdmin):
    """What arrived of the transfers that were put together."""

    list_select_related = ("match", "transaction")


@admin.register(Holding, ObservedBalance, PartedPair, PolicyPeriod, SourceGap, Valuation)
class LookAdmin(ReadOnlyAdmin):
    """What else there is."""

    list_select_related = ("portfolio",)


@admin.register(FrozenYear)
class FrozenYearAdmin(ReadOnlyAdmin):
    """Tax years that were frozen."""

    list_display = ("year", "portfolio", "at", "by", "ended_as", "ended_at")
    list_filter = ("year", "ended_as")
    list_select_related = ("portfolio", "by")


@admin.register(FrozenCheck)
class FrozenCheckAdmin(ReadOnlyAdmin):
    """Frozen years against the ledger."""

    list_display = ("frozen", "version", "differs")
    list_select_related = ("frozen",)


@admin.register(AddressAnswer)
class AddressAnswerAdmin(ReadOnlyAdmin):
    """What people said of addresses."""

    list_display = ("created_at", "portfolio", "answer", "account", "by")
    list_filter = ("answer",)
    list_select_related = ("portfolio", "account", "by")


@admin.register(ShareLink)
class ShareLinkAdmin(ReadOnlyAdmin):
    """Links to portfolios and tax years; the secrets are stored nowhere."""

    list_display = ("created_at", "portfolio", "purpose", "year", "shows", "expires_at", "revoked_at", "opened")
    list_filter = ("purpose", "shows")
    exclude = ("fingerprint",)
    list_select_related = ("portfolio",)


@admin.register(HistoryCourse)
class HistoryCourseAdmin(ReadOnlyAdmin):
    """What kept days were made from."""

    list_display = ("portfolio", "revision", "last_day", "made_at")
    list_select_related = ("portfolio",)


@admin.register(HistoryBlock)
class HistoryBlockAdmin(ReadOnlyAdmin):
    """Kept days."""

    list_display = ("portfolio", "first_day", "last_day")
    exclude = ("days", "standing")
    list_select_related = ("portfolio",)
