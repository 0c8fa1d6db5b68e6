"""What an address is to its owner, and what a transfer from or to it becomes by that answer."""

import re
from dataclasses import replace
from enum import StrEnum
from typing import Final

from apps.portfolios.domain.drafts import OUTSIDE, EntryDraft
from apps.portfolios.domain.transactions import EntryType

#: Chains of Ethereum's kind write one address in small and capital letters; elsewhere these differ.
_HEX: Final = re.compile(r"0[xX][0-9a-fA-F]{40,64}", re.ASCII)


class Whose(StrEnum):
    """Whose an address is: one's own, or of somebody who was paid, paid, or had or made a gift."""

    MINE = "mine"
    PAYMENT = "payment"
    GIFT = "gift"


def address_key(text: str) -> str:
    """Return an address as it is compared."""
    bare = text.strip()
    return bare.lower() if _HEX.fullmatch(bare) else bare


def answered(draft: EntryDraft, *, whose: Whose, account: str | None) -> EntryDraft | None:
    """Return what a transfer from or to outside becomes, nothing where the answer does not fit it.

    Coins that left for somebody are spent, a payment that came is income, and a gift that came is a lot at its value of
    that day. A value that nobody told is looked up.
    """
    sender, receiver = draft.sides
    leaves = receiver == OUTSIDE
    if whose is Whose.MINE:
        if account is None or account in {sender, receiver}:
            return None
        return replace(draft, from_account=sender if leaves else account, to_account=account if leaves else receiver)
    bare = replace(draft, from_account=None, to_account=None, received=None, fee_value=None)
    if leaves:
        return replace(bare, type=EntryType.SPEND, account=sender)
    amount = draft.amount if draft.received is None else draft.received
    if whose is Whose.GIFT:
        return replace(bare, type=EntryType.BUY, account=receiver, amount=amount)
    return replace(bare, type=EntryType.INCOME, account=receiver, amount=amount, kind="payment")
