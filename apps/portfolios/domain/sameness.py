"""Whether an id that comes again tells what it told before, and what is said where it does not.

Remarks and the source's own sequence may differ. A value that only one of the two tells is no difference: an export has
the values that were found since. Nor is a time that one of the two tells to the second only, as many files do.
"""

from collections.abc import Iterator
from decimal import Decimal, localcontext
from typing import Final

from apps.core.money import plain
from apps.portfolios.domain.drafts import EntryDraft
from apps.portfolios.domain.transactions import EntryType, moment_text

_DIGITS: Final = 200
_LONGEST: Final = 240
_SECOND_US: Final = 1_000_000
_PLAIN: Final = (
    *("asset", "amount", "out_asset", "out_amount", "in_asset", "in_amount", "received", "ratio", "kind"),
    *("fee", "fee_on"),
)
#: What may be told by one of the two only.
_OPEN: Final = ("value", "fee_value")


def difference(*, kept: EntryDraft, told: EntryDraft, money: str) -> str:
    """Return in words what two entries of one id tell differently, an empty text where they are the same."""
    ours, theirs = dict(_facts(kept, money)), dict(_facts(told, money))
    names = [name for name in ours if ours[name] != theirs[name]]
    if "ts" in names and _is_coarser(kept.at_us, told.at_us):
        names.remove("ts")
    names = [name for name in names if name not in _OPEN or None not in {ours[name], theirs[name]}]
    if not names:
        return ""
    pair = (", ".join(f"{name} {_shown(name, facts[name])}" for name in names) for facts in (ours, theirs))
    before, now = (text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…" for text in pair)
    return f"booked is {before}; told is {now}"


def _is_coarser(one_us: int, other_us: int) -> bool:
    """Tell whether one of two times is the other one, cut to the second."""
    cut = {one_us - one_us % _SECOND_US, other_us - other_us % _SECOND_US}
    return len(cut) == 1 and not cut.isdisjoint({one_us, other_us})


def _facts(draft: EntryDraft, money: str) -> Iterator[tuple[str, object]]:
    """Yield what an entry says, in one way: no fee is a fee of zero, and the portfolio's money may go unnamed."""
    sides = draft.sides if draft.type is EntryType.TRANSFER else (draft.account, "")
    yield "ts", draft.at_us
    yield "type", draft.type.value
    yield "from_account" if sides[1] else "account", sides[0]
    yield "to_account", sides[1]
    for name in _PLAIN:
        yield name, getattr(draft, name) or None
    yield "fee_asset", (draft.fee_asset or draft.quote or money) if draft.fee else None
    yield "quote", draft.quote or money
    yield "value", _worth(draft)
    yield "fee_value", draft.fee_value or None


def _worth(draft: EntryDraft) -> Decimal | None:
    if draft.value is not None or draft.price is None or draft.amount is None:
        return draft.value
    with localcontext() as context:
        context.prec = _DIGITS
        return draft.price * draft.amount


def _shown(name: str, fact: object) -> str:
    if name == "ts":
        return moment_text(int(str(fact)))
    if fact is None or fact == "":
        return "none"
    return plain(fact) if isinstance(fact, Decimal) else str(fact)
