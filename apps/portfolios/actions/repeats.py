"""Repeats: what an account has under an external id is not posted again, and not changed by what tells it otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final, TypeAlias
from uuid import UUID

from apps.portfolios.domain.drafts import AMOUNTS, NAMES, OUTSIDE, EntryDraft
from apps.portfolios.domain.sameness import difference
from apps.portfolios.domain.transactions import EntryType, microseconds, moment
from apps.portfolios.models import Account, BatchKind, BatchState, Transaction

_IDS_AT_ONCE: Final = 5_000
_UUID_LENGTH: Final = 36
_MACHINES: Final = frozenset({BatchKind.IMPORT, BatchKind.SYNC})
#: What an entry says, in the order of the columns.
_FACTS: Final = ("at", "type", "from_account_id", "to_account_id", *AMOUNTS, *NAMES)
_STATE: Final = ("account_id", "external_id", "place", "reversed_in_id", "reversed_in__kind", "batch__state")

_amounts: Final = attrgetter(*AMOUNTS)
_names: Final = attrgetter(*NAMES)

#: A draft with its place in what was handed in.
Placed: TypeAlias = tuple[int, EntryDraft]
_Key: TypeAlias = tuple[UUID, str]
_Facts: TypeAlias = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Sifted:
    """The drafts that are new, how many are repeats, and those that tell a known id otherwise, with what differs."""

    fresh: list[Placed]
    duplicates: int
    conflicts: list[tuple[int, str]]


def sift(*, drafts: Sequence[Placed], accounts: Mapping[str, Account], money: str, kind: BatchKind) -> Sifted:
    """Tell the drafts that are new from repeats, and from those whose id stands for something else."""
    ids = {name: row.pk for name, row in accounts.items()}
    told, own = _looked_up(drafts, accounts, is_machine=kind in _MACHINES)
    names = {pk: name for name, pk in ids.items()}
    new: dict[_Key, EntryDraft] = {}
    fresh: list[Placed] = []
    conflicts: list[tuple[int, str]] = []
    for index, draft in drafts:
        if draft.external_id is None:
            fresh.append((index, draft))
            continue
        key = (ids[draft.record_of], draft.external_id)
        if (first := new.get(key)) is not None:
            what = difference(kept=first, told=draft, money=money)
        elif key in told:
            what = "" if _facts(draft, ids) in told[key] else _differs(told[key], draft, names, money)
        elif key in own:
            what = ""
        else:
            new[key] = draft
            fresh.append((index, draft))
            continue
        if what:
            conflicts.append((index, what))
    return Sifted(fresh, len(drafts) - len(fresh) - len(conflicts), conflicts)


def _looked_up(
    drafts: Sequence[Placed], accounts: Mapping[str, Account], *, is_machine: bool
) -> tuple[dict[_Key, list[_Facts]], set[_Key]]:
    """Return what the accounts have under the ids of these drafts, and which of the ids are our own."""
    wanted: dict[str, set[str]] = {}
    for _index, draft in drafts:
        if draft.external_id is not None:
            wanted.setdefault(draft.record_of, set()).add(draft.external_id)
    told: dict[_Key, list[_Facts]] = {}
    own: set[_Key] = set()
    for name, external_ids in wanted.items():
        told |= _known(accounts[name].pk, sorted(external_ids), is_machine=is_machine)
        own.update(_own(accounts[name], external_ids))
    return told, own


def uuid_of(*, text: str) -> UUID | None:
    """Return the UUID that a text is, if it is one as we write it."""
    if len(text) != _UUID_LENGTH:
        return None
    try:
        found = UUID(text)
    except ValueError:
        return None
    return found if str(found) == text else None


def _known(account_id: UUID, external_ids: Sequence[str], *, is_machine: bool) -> dict[_Key, list[_Facts]]:
    """Return for the ids that count what was ever told under them, what stands first.

    For a machine those count too that a person has taken out, so that they stay out; not those of an undone batch.
    """
    rows = Transaction.objects.filter(account=account_id)
    if not rows.filter(external_id__isnull=False).exists():
        return {}
    found: dict[str, list[_Facts]] = {}
    counts: set[str] = set()
    taken_out: list[tuple[str, UUID]] = []
    undone: set[UUID] = set()
    for start in range(0, len(external_ids), _IDS_AT_ONCE):
        some = rows.filter(external_id__in=external_ids[start : start + _IDS_AT_ONCE])
        for _account, external_id, place, reversed_in, how, state, *facts in some.values_list(*_STATE, *_FACTS):
            versions = found.setdefault(external_id, [])
            versions.insert(0 if reversed_in is None else len(versions), tuple(facts))
            if reversed_in is None:
                counts.add(external_id)
            elif state == BatchState.UNDONE:
                undone.add(place)
            elif how == BatchKind.ANSWER or (is_machine and how == BatchKind.CORRECTION):
                taken_out.append((external_id, place))
    counts.update(external_id for external_id, place in taken_out if place not in undone)
    return {(account_id, external_id): found[external_id] for external_id in counts}


def _own(account: Account, external_ids: set[str]) -> Iterator[_Key]:
    """Yield the ids that are our own: an export that comes back to where it is from."""
    ours = {found: text for text in external_ids if (found := uuid_of(text=text)) is not None}
    if ours:
        rows = Transaction.objects.filter(portfolio=account.portfolio_id, pk__in=ours).standing()
        for found in rows.values_list("pk", flat=True):
            yield account.pk, ours[found]


def _facts(draft: EntryDraft, ids: Mapping[str, UUID]) -> _Facts:
    """Return what a draft says as its row would have it."""
    sender, receiver = draft.sides if draft.type is EntryType.TRANSFER else (OUTSIDE, OUTSIDE)
    return (
        moment(draft.at_us), draft.type.value, ids.get(sender), ids.get(receiver),
        *_amounts(draft), *[name or "" for name in _names(draft)],
    )  # fmt: skip


def _differs(versions: Sequence[_Facts], told: EntryDraft, names: dict[UUID, str], money: str) -> str:
    """Return what the first version tells otherwise, nothing where any version tells the same."""
    said = [difference(kept=_draft(facts, told, names), told=told, money=money) for facts in versions]
    return said[0] if all(said) else ""


def _draft(facts: _Facts, told: EntryDraft, names: dict[UUID, str]) -> EntryDraft:
    at, kind, sender, receiver, *rest = facts
    is_transfer = kind == EntryType.TRANSFER
    said: dict[str, Any] = dict(zip(AMOUNTS, rest, strict=False))
    said |= {name: text or None for name, text in zip(NAMES, rest[len(AMOUNTS) :], strict=True)}
    return EntryDraft(
        at_us=microseconds(at),
        type=EntryType(kind),
        source=told.source,
        account=told.record_of,
        from_account=names.get(sender, OUTSIDE) if is_transfer else None,
        to_account=names.get(receiver, OUTSIDE) if is_transfer else None,
        **said,
    )
