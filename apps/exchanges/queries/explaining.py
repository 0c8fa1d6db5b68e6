"""What a problem of a sync means in plain words, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise


@dataclass(frozen=True, slots=True)
class Explanation:
    """What happened, and what helps; `heals` says that nothing needs to be done."""

    meaning: _StrPromise
    fix: _StrPromise
    heals: bool = False


_AGAIN: Final = _("Nothing: it is tried again by itself, and what was read is kept.")
_LOOK: Final = _("Look at the row at the exchange, and add the entry by hand if it belongs in your ledger.")

_EXPLANATIONS: Final = {
    "credentials_rejected": Explanation(
        _("The exchange does not accept the key any more. It was deleted, changed, or is bound to another address."),
        _("Make a new read-only key at the exchange and give it to this connection. Nothing is tried until then."),
    ),
    "key_forgotten": Explanation(
        _("The key of this connection was forgotten here."),
        _("Give the connection a new read-only key, or remove it."),
    ),
    "permission_missing": Explanation(
        _("The key may not read this part of the account. Everything else is read."),
        _("Allow the key to read balances and history at the exchange, or replace it by one that may."),
    ),
    "venue_unavailable": Explanation(_("The exchange did not answer, or said that it cannot."), _AGAIN, heals=True),
    "venue_bad_answer": Explanation(
        _("The exchange answered with something that makes no sense. Nothing was changed because of it."),
        _AGAIN,
        heals=True,
    ),
    "venue_busy": Explanation(_("The exchange asked for a pause, and gets it."), _AGAIN, heals=True),
    "venue_blocked": Explanation(
        _("The exchange does not serve the place that this server calls from."),
        _("Run Coinsphere from a place that the exchange serves, or import its files instead."),
    ),
    "venue_clock": Explanation(
        _("The exchange refuses the time of our requests, also after our clock was set by its own."),
        _("Check this server's clock, and that no other program uses the same key."),
    ),
    "venue_refused": Explanation(
        _("The exchange does not know this pair, or does not offer this list. Everything else is read."),
        _("Import a file of the exchange for what is missing."),
    ),
    "balances_empty": Explanation(
        _("The exchange named no balance at all, although there were some. The last known ones stay."),
        _("Nothing: it is believed when it says so a second time."),
        heals=True,
    ),
    "row_taken_back": Explanation(
        _("The exchange tells a row otherwise than before: it would make no entry now, and has one."),
        _("Look at the row at the exchange, and undo its entry if it did not happen."),
    ),
    "content_differs": Explanation(
        _("An entry with this id stands in the ledger and says something else, for example from a file."),
        _("Compare the two. To believe the exchange, undo the import and read everything again."),
    ),
    "parked": Explanation(
        _("This sync stopped its worker several times in a row, so it is not tried by itself."),
        _("Start it by hand. If it stops again, tell who runs this server; the log names the request."),
    ),
    "connection_paused": Explanation(
        _("The connection was paused before its turn came."), _("Resume it when it should be read again.")
    ),
    "vault_locked": Explanation(
        _("The stored key cannot be opened: the master key of this server is another one."),
        _("Restore the master key, or give the connection its key anew."),
    ),
    "stream_unknown": Explanation(_("This kind of row is kept, and not understood yet."), _LOOK),
    "kind_unknown": Explanation(
        _("The exchange calls this something that we do not know yet. The row is kept."), _LOOK
    ),
    "ts_in_the_future": Explanation(
        _("The row lies in the future."), _("Check this server's clock, then sync by hand: the row is tried again.")
    ),
}
_UNKNOWN: Final = Explanation(_("One row could not become an entry. It is kept, and hides no other."), _LOOK)


def explained(*, code: str) -> Explanation:
    """Return what a problem's code means and what to do."""
    return _EXPLANATIONS.get(code, _UNKNOWN)
