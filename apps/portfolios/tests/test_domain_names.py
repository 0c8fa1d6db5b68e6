"""Names in one spelling, fields that must not be passed over, times that no coin has: at the door of the ledger."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.portfolios.domain.drafts import FIRST_COIN, draft_of
from apps.portfolios.domain.fields import OURS, check_fields, foreign_fields
from apps.portfolios.domain.names import UnfitNameError, code_of, id_of, name_of, remark_of, shown
from apps.portfolios.domain.transactions import EntryError, microseconds

BUY: dict[Any, Any] = {"ts": "2024-01-01", "type": "buy", "asset": "BTC", "amount": "1", "value": "100"}
HIDDEN = ("\u202e", "\u2066", "\u200e", "\u200b", "\ufeff", "\x07", "\x85", "\u2028", "\n", "\u00ad")


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ("  Kraken ", "Kraken"),
        ("Cafe\u0301", "Caf\u00e9"),
        ("My\u00a0 wallet", "My wallet"),
        ("\u2003Ledger\u2003", "Ledger"),
        ("Familie \U0001f468\u200d\U0001f469", "Familie \U0001f468\u200d\U0001f469"),
        ("   ", ""),
    ],
)
def test_a_name_has_one_spelling(told: str, name: str) -> None:
    assert name_of(told) == name


@pytest.mark.parametrize("hidden", HIDDEN)
def test_what_cannot_be_seen_is_refused_in_names_and_lost_in_remarks(hidden: str) -> None:
    for spelled in (name_of, code_of, id_of):
        with pytest.raises(UnfitNameError, match=f"U\\+{ord(hidden):04X}"):
            spelled(f"a{hidden}b")
    assert remark_of(f" a{hidden}b ") in {"ab", "a b"}
    with pytest.raises(EntryError) as caught:
        draft_of({**BUY, "account": f"a{hidden}b"}, source="test", index=4)
    assert (caught.value.code, caught.value.field, caught.value.index) == ("name_invalid", "account", 4)


def test_codes_hold_no_space_and_ids_stay_as_they_are() -> None:
    assert (code_of(" stETH "), id_of(" a  b\u0301 "), remark_of("a\r\n b")) == ("stETH", "a  b\u0301", "a  b")
    for wrong in ("B TC", "eip155:1/x", ".."):
        with pytest.raises(UnfitNameError):
            code_of(wrong)
    assert code_of("") == ""
    assert shown("\x1b[31m" + "x" * 50) == "\ufffd[31m" + "x" * 35 + "\u2026"


@given(st.text(max_size=60))
def test_a_spelling_is_its_own_spelling(text: str) -> None:
    for spelled in (name_of, code_of, id_of, remark_of):
        try:
            once = spelled(text)
        except UnfitNameError:
            continue
        assert spelled(once) == once


def test_a_draft_takes_the_spelling() -> None:
    draft = draft_of(
        {**BUY, "id": " x ", "account": " Cafe\u0301 ", "asset": " BTC", "note": "one\ntwo\u202e", "tx_hash": " 0x1 "},
        source="test",
    )
    told = (draft.external_id, draft.account, draft.asset, draft.note, draft.tx_hash)
    assert told == ("x", "Caf\u00e9", "BTC", "one two", "0x1")
    with pytest.raises(EntryError) as caught:
        draft_of({**BUY, "account": "   "}, source="test")
    assert caught.value.field == "account"


def test_nothing_happened_before_the_first_coin() -> None:
    assert draft_of({**BUY, "ts": "2009-01-03"}, source="test").at_us == microseconds(FIRST_COIN)
    for early in ("2009-01-02T23:59:59.999999Z", "0001-01-02", 1704067200, "1970-01-01"):
        with pytest.raises(EntryError) as caught:
            draft_of({**BUY, "ts": early}, source="test")
        assert caught.value.code == "ts_too_early"
    assert datetime(2009, 1, 3, tzinfo=UTC) == FIRST_COIN


# --- Fields -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("ammount", "amount"),
        ("fee_currency", "fee_asset"),
        ("Price", "price"),
        ("symbol", "asset"),
        ("xyzzy", None),
        ("x" * 500, None),
        (7, None),
    ],
)
def test_an_unknown_field_names_the_one_that_is_meant(name: object, meant: str | None) -> None:
    with pytest.raises(EntryError) as caught:
        check_fields({**BUY, name: "1"}, index=2)
    assert (caught.value.code, caught.value.index) == ("field_unknown", 2)
    assert caught.value.message.endswith(f"Did you mean {meant}?" if meant else "Leave it out.")


def test_a_field_of_another_type_is_not_passed_over() -> None:
    check_fields({**BUY, **dict.fromkeys(OURS, "x"), "received": None, "ratio": "0", "kind": "x", "note": "n"})
    check_fields({"type": "gift", "received": "1"})
    check_fields({"type": [], "received": "1"})
    for field in ("received", "from_account", "in_amount", "ratio"):
        with pytest.raises(EntryError, match=f"An entry of type buy has no {field}") as caught:
            check_fields({**BUY, field: "1"})
        assert (caught.value.code, caught.value.field) == ("field_unexpected", field)
    assert foreign_fields({**BUY, "type": "income", "kind": "staking", "fee": "1", "ratio": "2"}) == ["ratio"]
