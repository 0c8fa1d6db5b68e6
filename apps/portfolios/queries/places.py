"""Accounts that an entry names by their id instead of their name."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from apps.portfolios.domain.drafts import ACCOUNTS, EntryDraft
from apps.portfolios.domain.transactions import EntryError
from apps.portfolios.models import Account, Portfolio

_PLACES: Final = ("account", *ACCOUNTS)
_ID_LENGTH: Final = 36


def placed_drafts(*, portfolio: Portfolio, drafts: Sequence[EntryDraft]) -> list[EntryDraft | EntryError]:
    """Return the drafts with the names of accounts in place of their ids, and what to say where an id is nobody's."""
    asked = {found for draft in drafts for name in _PLACES if (found := _id(getattr(draft, name))) is not None}
    if not asked:
        return list(drafts)
    rows = Account.objects.filter(portfolio=portfolio)
    names = {str(pk): name for pk, name in rows.filter(pk__in=asked).values_list("pk", "name")}
    called = set(rows.filter(name__in=[str(one) for one in asked]).values_list("name", flat=True))
    return [_placed(draft, names, called, index) for index, draft in enumerate(drafts)]


def _placed(draft: EntryDraft, names: dict[str, str], called: set[str], index: int) -> EntryDraft | EntryError:
    changed: dict[str, str] = {}
    for name in _PLACES:
        told = getattr(draft, name)
        found = _id(told)
        if found is None or told in called:
            continue
        if str(found) not in names:
            message = "This portfolio has no account with this id. Give the id of one of its accounts, or a name."
            return EntryError(code="account_unknown", message=message, field=name, index=index)
        changed[name] = names[str(found)]
    return replace(draft, **changed) if changed else draft  # type: ignore[arg-type]  # all three are texts


def _id(text: str | None) -> UUID | None:
    if text is None or len(text) != _ID_LENGTH:
        return None
    try:
        return UUID(text)
    except ValueError:
        return None
