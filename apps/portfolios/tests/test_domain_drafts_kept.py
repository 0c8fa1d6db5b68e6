"""Drafts between a preview and the ledger: packed with every digit, sound at a glance, the same when told again."""

from dataclasses import replace
from decimal import Decimal
from itertools import product
from typing import Any

import orjson
import pytest

from apps.portfolios.domain.drafts import EntryDraft, checked_draft
from apps.portfolios.domain.packing import packed, unpacked
from apps.portfolios.domain.sameness import difference
from apps.portfolios.domain.soundness import is_sound
from apps.portfolios.domain.transactions import EntryError, EntryType

AT = 1_700_000_000_000_000
ONE, TINY = Decimal(1), Decimal("1.000000000000000000000000000001")
BUY = EntryDraft(at_us=AT, type=EntryType.BUY, source="test", asset="BTC", amount=ONE, price=Decimal(40_000))
MOVE = replace(BUY, type=EntryType.TRANSFER, price=None, from_account="A", to_account="B")
TRADE = EntryDraft(
    at_us=AT, type=EntryType.TRADE, source="test", out_asset="BTC", out_amount=ONE, in_asset="ETH", in_amount=TINY
)
BACK = EntryDraft(at_us=AT, type=EntryType.RETURN_OF_CAPITAL, source="test", asset="BTC", value=Decimal(0))


def test_drafts_are_packed_and_come_back_with_every_digit() -> None:
    drafts = [BUY, MOVE, replace(TRADE, note="n", external_id="x", sequence=-3, value=Decimal("1E-30")), BACK]
    assert unpacked(orjson.loads(orjson.dumps(packed(drafts), default=str))) == drafts


@pytest.mark.parametrize("draft", [BUY, MOVE, TRADE, BACK, replace(BUY, fee=Decimal("0.5"), fee_asset="BNB")])
def test_what_is_usual_passes_at_a_glance(draft: EntryDraft) -> None:
    assert is_sound(replace(draft, amount=draft.amount and ONE, in_amount=draft.in_amount and ONE))
    assert checked_draft(draft) == draft


@pytest.mark.parametrize(
    "change",
    [
        {"asset": ""},
        {"asset": " BTC"},
        {"asset": None},
        {"asset": "x" * 33},
        {"amount": None},
        {"amount": Decimal(0)},
        {"amount": Decimal(-1)},
        {"amount": Decimal("NaN")},
        {"amount": TINY},
        {"at_us": 0},
        {"sequence": 2**40},
        {"external_id": ""},
        {"external_id": "a\u200b"},
        {"note": "two\nlines"},
        {"note": "x" * 501},
        {"tx_hash": "x" * 121},
        {"address": "x" * 201},
        {"account": "outside"},
        {"fee_on": "both"},
        {"type": EntryType.SPEND, "fee": ONE},
        {"type": EntryType.POOL_OPENING},
        {"type": EntryType.TRANSFER},
        {"type": EntryType.TRANSFER, "to_account": "B", "received": Decimal(2)},
    ],
    ids=str,
)
def test_what_is_not_usual_is_looked_at_closely(change: dict[str, Any]) -> None:
    assert not is_sound(replace(BUY, **change))


def test_what_passes_at_a_glance_is_sound() -> None:
    names: list[str | None] = [None, "", "BTC", " a", "outside"]
    numbers = [None, Decimal(-1), Decimal(0), ONE, Decimal("1E-40")]
    passed = 0
    for kind, asset, side, amount, other in product(EntryType, names, names, numbers, numbers):
        draft = EntryDraft(
            at_us=AT, type=kind, source="test", asset=asset, amount=amount, value=other, received=other,
            from_account=side, to_account=asset, ratio=amount, out_asset=asset, out_amount=amount, in_asset="ETH",
            in_amount=ONE, fee=other if kind is EntryType.BUY else None,
        )  # fmt: skip
        if is_sound(draft):
            passed += 1
            assert checked_draft(draft) == draft
    assert passed > 50


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, ""),
        ({"note": "n", "tx_hash": "h", "sequence": 4}, ""),
        ({"price": None, "value": Decimal(40_000)}, ""),
        ({"price": None}, ""),
        ({"quote": "USD", "fee": Decimal(0), "fee_asset": "USD"}, ""),
        ({"fee_value": ONE}, ""),
        ({"amount": Decimal(2)}, "booked is amount 1, value 40000; told is amount 2, value 80000"),
        ({"asset": "ETH"}, "booked is asset BTC; told is asset ETH"),
        ({"fee": ONE}, "booked is fee none, fee_asset none; told is fee 1, fee_asset USD"),
        ({"at_us": AT + 999_999}, ""),
        ({"at_us": AT + 1_000_000}, "told is ts 2023-11-14T22:13:21Z"),
        ({"type": EntryType.SELL}, "booked is type buy; told is type sell"),
        ({"asset": "A" * 300}, "…"),
    ],
)
def test_what_an_id_tells_otherwise_is_said(change: dict[str, Any], said: str) -> None:
    found = difference(kept=BUY, told=replace(BUY, **change), money="USD")
    assert (found == "") if said == "" else (said in found)


def test_two_times_that_are_both_finer_than_a_second_are_held_to_all_their_digits() -> None:
    kept, told = replace(BUY, at_us=AT + 1), replace(BUY, at_us=AT + 2)
    found = difference(kept=kept, told=told, money="USD")
    assert found == "booked is ts 2023-11-14T22:13:20.000001Z; told is ts 2023-11-14T22:13:20.000002Z"


def test_the_sides_of_a_transfer_are_part_of_what_is_told() -> None:
    other = replace(MOVE, to_account="outside")
    assert difference(kept=MOVE, told=other, money="USD") == "booked is to_account B; told is to_account outside"
    with pytest.raises(EntryError):
        checked_draft(replace(MOVE, to_account="A"))
