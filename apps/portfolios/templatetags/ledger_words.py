"""The words of the ledger for people: what codes of policies, disposals, imports and matches mean."""

from collections.abc import Mapping
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

#: Codes and their words by the name of the filter that says them; an unknown code stands for itself.
WORDS: Final[Mapping[str, Mapping[str, str | Promise]]] = {
    "kind_word": {
        "crypto": gettext_lazy("Coins"),
        "stablecoin": gettext_lazy("Stable coins"),
        "fiat": gettext_lazy("Money"),
        "": gettext_lazy("Not known"),
    },
    "policy_word": {
        "fifo": gettext_lazy("FIFO"),
        "lifo": gettext_lazy("LIFO"),
        "hifo": gettext_lazy("HIFO"),
        "acb": gettext_lazy("average cost"),
        "uk_s104": gettext_lazy("UK pooling (section 104)"),
        "universal": gettext_lazy("all accounts together"),
        "per_account": gettext_lazy("each account alone"),
    },
    "disposal_word": {
        "sell": gettext_lazy("sold"),
        "trade": gettext_lazy("converted"),
        "spend": gettext_lazy("spent or given"),
        "fee": gettext_lazy("fee"),
        "transfer_fee": gettext_lazy("fee of a transfer"),
        "return_of_capital": gettext_lazy("capital returned"),
    },
    "term_word": {
        "short": gettext_lazy("short"),
        "long": gettext_lazy("long"),
        "mixed": gettext_lazy("both"),
        "": gettext_lazy("pool"),
    },
    "match_word": {
        "same_day": gettext_lazy("same day"),
        "thirty_day": gettext_lazy("bought within 30 days after"),
        "s104": gettext_lazy("from the pool"),
    },
    "format_word": {
        "binance": "Binance",
        "coinbase": "Coinbase",
        "kraken": "Kraken",
        "kucoin": "KuCoin",
        "koinly": "Koinly",
        "cointracking": "CoinTracking",
        "rotki": "rotki",
        "ghostfolio": "Ghostfolio",
        "generic": gettext_lazy("Table"),
    },
    "note_word": {
        "internal": gettext_lazy("moved inside one account"),
        "money": gettext_lazy("of money alone"),
        "pending": gettext_lazy("not settled yet"),
        "nothing_to_book": gettext_lazy("with nothing to book"),
    },
    "reason_word": {
        "same_hash": gettext_lazy("same hash"),
        "same_amount": gettext_lazy("same amount"),
        "amount_less_fee": gettext_lazy("the amount less a fee"),
        "soon_after": gettext_lazy("soon after"),
        "within_two_days": gettext_lazy("within two days"),
        "arrived_in_parts": gettext_lazy("arrived in parts"),
    },
    "cause_word": {
        "agrees": gettext_lazy("none"),
        "unmatched_transfer": gettext_lazy("a transfer without its other side"),
        "sync_gap": gettext_lazy("a time that was not read"),
        "missing_entries": gettext_lazy("transactions are missing here"),
        "surplus_entries": gettext_lazy("transactions here that the exchange does not know"),
    },
    "issue_word": {
        "missing_acquisition": gettext_lazy("a disposal without a purchase for all of it"),
        "unbooked_entry": gettext_lazy("an entry that could not be booked"),
        "unmatched_transfer": gettext_lazy("a transfer without its other side"),
        "unpriced_entry": gettext_lazy("an entry without a price of that day"),
        "pending_entry": gettext_lazy("an entry whose price is still being fetched"),
        "sync_gap": gettext_lazy("a stretch that an exchange could not tell"),
    },
    "year_change_word": {
        "came": gettext_lazy("new"),
        "went": gettext_lazy("gone"),
        "changed": gettext_lazy("changed"),
    },
    "year_total_word": {
        "realised_total": gettext_lazy("Realized gain"),
        "realised_short": gettext_lazy("Held short"),
        "realised_long": gettext_lazy("Held long"),
        "income_total": gettext_lazy("Income"),
        "fees_total": gettext_lazy("Fees outside of cost"),
    },
    "frozen_end_word": {
        "": gettext_lazy("frozen"),
        "replaced": gettext_lazy("frozen, later frozen anew"),
        "unlocked": gettext_lazy("frozen, later unlocked"),
    },
    "sale_note_word": {
        "pool": gettext_lazy("at the average, so without dates"),
        "later_purchases": gettext_lazy("purchases of the next 30 days would be matched first"),
        "superficial_loss": gettext_lazy("part of the loss may be denied if you buy again"),
        "from_the_start": gettext_lazy("as if booked by it from the beginning"),
    },
}
