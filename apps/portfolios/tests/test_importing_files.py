"""Opening files: encodings, delimiters, headers, limits; the mapper; ids that stand over re-imports; hostile bytes."""

import csv
import io
import json
from pathlib import Path

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from apps.portfolios.domain.drafts import checked_draft
from apps.portfolios.domain.importing import (
    FORMATS,
    LAYOUTS,
    ColumnMapping,
    ImportRefusedError,
    columns_of,
    parse_mapping,
    read_file,
)
from apps.portfolios.domain.importing import table as limits
from apps.portfolios.domain.importing.numbers import NumberStyle
from apps.portfolios.domain.importing.times import DateStyle
from apps.portfolios.tests.told import told

SAMPLES = Path(settings.BASE_DIR).parent / "shared" / "data" / "exchange_csv" / "samples"

PLAIN = "ts,type,asset,amount,value\n2024-01-01 00:00:00,buy,BTC,1,40000\n"
BOUGHT = ["2 2024-01-01T00:00:00Z buy 1 BTC = 40000"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_a_file_is_opened_whatever_it_was_saved_with(encoding: str, newline: str) -> None:
    assert told(PLAIN.replace("\n", newline).encode(encoding)) == BOUGHT


def test_letters_of_windows_are_read() -> None:
    text = "ts,type,asset,amount,value,note\n2024-01-01,buy,BTC,1,40000,Käse für Zürich\n"
    assert read_file(data=text.encode("cp1252")).drafts[0].note == "Käse für Zürich"


@pytest.mark.parametrize("sign", [";", "\t", "|"])
def test_the_delimiter_is_found_and_may_leave_commas_to_the_numbers(sign: str) -> None:
    text = "ts,type,asset,amount,value\n01.02.2024 10:00,buy,BTC,0.5,1.234.50\n".replace(",", sign)
    text = text.replace("0.5", "0,5").replace("1.234.50", "1.234,50")
    found = read_file(data=text.encode())
    assert told(text) == ["2 2024-02-01T10:00:00Z buy 0.5 BTC = 1234.5"]
    assert (found.numbers, found.format) == (NumberStyle.COMMA, "generic")


@pytest.mark.parametrize(("first", "sign"), [("sep=;", ";"), ("SEP=|", "|"), ("sep=\t", "\t")])
def test_a_delimiter_that_is_stated_is_taken(first: str, sign: str) -> None:
    text = f"{first}\r\n" + PLAIN.replace(",", sign)
    assert told(text) == ["3 2024-01-01T00:00:00Z buy 1 BTC = 40000"]


def test_a_header_is_found_below_a_preamble_and_may_come_again() -> None:
    text = 'Transactions of,"A ""B"" C"\n\nUser,x,y\n' + PLAIN + PLAIN
    assert told(text) == [f"{number} {BOUGHT[0][2:]}" for number in (5, 7)]


def test_lines_keep_their_numbers_over_cells_of_several_lines() -> None:
    text = (
        "ts,type,asset,amount,value,note\n"
        '2024-01-01,buy,BTC,1,40000,"one\ntwo\nthree"\n'
        "\n"
        "2024-01-02,buy,BTC,x,40000\n"
        "2024-01-03,buy,BTC,1,40000,,\n"
        "2024-01-04,buy,BTC,1,40000,,,more\n"
        ",,,,\n"
        "2024-01-05,buy,,1,40000\n"
        "2024-01-06,steal,BTC,1,40000\n"
    )
    assert told(text) == [
        "2 2024-01-01T00:00:00Z buy 1 BTC = 40000",
        "6 ! number_bad",
        "7 2024-01-03T00:00:00Z buy 1 BTC = 40000",
        "8 ! cells_too_many",
        "10 ! field_missing",
        "11 ! kind_unknown",
    ]
    assert told("ts,type,asset,amount\n") == []


def test_a_line_that_is_too_long_or_too_wide_hides_no_other() -> None:
    head, good = "ts,type,asset,amount,value\n", "2024-01-01,buy,BTC,1,40000"
    text = f"{head}{good}\n{good}{'x' * 10_001}\n{good}{',' * 300}\n{good}{',y' * 300}\n"
    line = "2024-01-01T00:00:00Z buy 1 BTC = 40000"
    assert told(text) == [f"2 {line}", "3 ! cell_too_long", f"4 {line}", "5 ! cells_too_many"]
    assert read_file(data=text.encode()).errors[1][1].message.startswith("This line has more than 200 cells")


def test_cells_that_a_spreadsheet_was_told_to_leave_alone_are_read() -> None:
    assert told('ts,type,asset,amount,value\n="2024-01-01",buy,"=""BTC""",="1",="40000"\n') == [
        "2 2024-01-01T00:00:00Z buy 1 BTC = 40000"
    ]


def _refusal(data: bytes, **choices: object) -> str:
    with pytest.raises(ImportRefusedError) as caught:
        read_file(data=data, **choices)  # type: ignore[arg-type]
    assert caught.value.message.endswith(".")
    return caught.value.code


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "file_empty"),
        (b" \n\n", "file_empty"),
        (b"\xef\xbb\xbf", "file_empty"),
        (b"PK\x03\x04rest", "spreadsheet"),
        (b"\xd0\xcf\x11\xe0rest", "spreadsheet"),
        (b"\x1f\x8brest", "compressed"),
        (b"%PDF-1.7", "not_text"),
        (b"ts,type\x00,asset,amount and some more text that is long\n", "not_text"),
        (b"\x81\x8d\x8f", "encoding_unknown"),
        (b"\xff\xfea", "encoding_unknown"),
        (b"just words\n", "format_unknown"),
        (b"a,b\n1,2\n", "format_unknown"),
        (b"time(UTC+99:00),b\n1,2\n", "format_unknown"),
        (b'ts,type,asset,amount\n2024-01-01,buy,"BTC,1\n', "quotes_broken"),
        (b"," * 300 + b"\n", "format_unknown"),
        (b"ts,type,asset,amount\n" + b"x" * 200_000 + b"\n", "cell_too_long"),
        (b'{"transactions": 1}', "format_unknown"),
        (b'{"activities": [1]}', "format_unknown"),
        (b"[" * 100_000, "json_broken"),
        (b"{", "json_broken"),
        (b"PK\x05\x06rest", "spreadsheet"),
        (b"BZh91AY", "compressed"),
        (b"{\\rtf1 ts,type}", "not_text"),
        (b"\xef\xbb\xbf\n<!DOCTYPE html><html>a,b</html>", "web_page"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_by_name(data: bytes, code: str) -> None:
    assert _refusal(data) == code


def test_the_limits_of_size_and_lines_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_ROWS", 1)
    assert _refusal(PLAIN.encode()) == "too_many_rows"
    monkeypatch.setattr(limits, "MAX_BYTES", 10)
    assert _refusal(PLAIN.encode()) == "file_too_large"


def test_a_format_that_is_asked_for_must_be_there() -> None:
    assert told(PLAIN, wanted="generic") == BOUGHT
    assert _refusal(PLAIN.encode(), wanted="kraken") == "format_differs"
    assert _refusal(b"a,b\n1,2\n", wanted="kraken") == "format_unknown"
    assert _refusal(PLAIN.encode(), wanted="excel") == "format_unknown"


def test_the_layouts_are_told_apart_by_their_columns() -> None:
    for layout in LAYOUTS:
        names = [name.partition("#")[0] for name in layout.columns]
        found = columns_of(data=(",".join(names) + "\n" + ",".join("x" for _ in names) + "\n").encode())
        assert found.format == layout.format
        assert found.samples == (tuple("x" for _ in names),)
    assert {layout.format for layout in LAYOUTS} == set(FORMATS)


def test_the_columns_of_an_unknown_file_are_shown() -> None:
    found = columns_of(data=b"My bank\n1;2;3\nDatum;Art;Menge\n01.02.2024;Kauf;1,5\n")
    assert (found.names, found.format) == (("Datum", "Art", "Menge"), "")
    assert found.samples == (("01.02.2024", "Kauf", "1,5"),)


# --- The mapper -------------------------------------------------------------------------------------------------------
BANK = (
    "Konto 1\n\nDatum;Art;Paar;Menge;Gesamt;Gebühr\n"
    "01.02.2024 10:00;Kauf;BTC/EUR;0,5;20.000,00;1,50\n"
    "13.02.2024;Einzahlung;;;;\n"
    "14.02.2024;Schenkung;;1;2;\n"
    "15.02.2024;Verkauf;BTC/USD;0,1;5.000,00;2,00\n"
    "16.02.2024;Verkauf;BTC/EUR;0,1;;2,00\n"
)
BANK_MAPPING = {
    "columns": {"ts": "Datum", "type": "Art", "pair": "Paar", "amount": "Menge", "value": "Gesamt", "fee": "Gebühr"},
    "constants": {"account": "Bank"},
    "kinds": {"Kauf": "buy", "Verkauf": "sell", "Einzahlung": "deposit"},
    "time_zone": "Europe/Berlin",
}


def test_a_mapped_file_is_read_with_its_words_styles_and_time_zone() -> None:
    mapping = parse_mapping(BANK_MAPPING)
    assert parse_mapping(json.loads(json.dumps(mapping.as_json()))) == mapping
    assert told(BANK, mapping=mapping) == [
        "4 2024-02-01T09:00:00Z trade 20000 EUR -> 0.5 BTC fee 1.5 EUR",
        "5 ! field_missing",
        "6 ! kind_unknown",
        "7 2024-02-14T23:00:00Z sell 0.1 BTC = 5000 fee 2 USD",
        "8 ! field_missing",
    ]
    found = read_file(data=BANK.encode(), mapping=mapping)
    assert {draft.account for draft in found.drafts} == {"Bank"}


def test_a_mapping_may_give_the_type_and_a_price() -> None:
    mapping = ColumnMapping(
        columns={"ts": "When", "amount": "How many", "pair": "What", "price": "At"}, constants={"type": "buy"}
    )
    text = "When,How many,What,At\n2024-01-01,2,ETH-EUR,1000\n2024-01-02,2,ETHUSD,1000\n"
    assert told(text, mapping=mapping, wanted="kraken") == [
        "2 2024-01-01T00:00:00Z trade 2000 EUR -> 2 ETH",
        "3 2024-01-02T00:00:00Z buy 2 ETH @ 1000",
    ]


def test_a_mapping_without_its_columns_in_the_file_is_refused() -> None:
    assert _refusal(PLAIN.encode(), mapping=parse_mapping(BANK_MAPPING)) == "columns_missing"


def test_styles_may_be_chosen_for_a_known_format() -> None:
    text = 'ts,type,asset,amount,value\n02/03/2024,buy,BTC,1,"1,500"\n'
    assert told(text) == ["2 ! date_ambiguous"]
    mapping = parse_mapping({"numbers": "comma", "dates": "dmy", "time_zone": "+01:00"})
    assert told(text, mapping=mapping) == ["2 2024-03-01T23:00:00Z buy 1 BTC = 1.5"]
    found = read_file(data=text.encode(), mapping=mapping)
    assert (found.numbers, found.dates) == (NumberStyle.COMMA, DateStyle.DMY)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (None, "an object with"),
        ({"colums": {}}, "an object with"),
        ({"columns": ["x"]}, "columns is an object of texts"),
        ({"columns": {"ts": 1}}, "columns is an object of texts"),
        ({"columns": {"ts": "x" * 300}}, "columns is an object of texts"),
        ({"columns": {"when": "x"}}, "no field of ours"),
        ({"columns": {"type": "x"}}, "Name the columns of the time"),
        ({"columns": {"ts": "x"}}, "Name the columns of the time"),
        ({"kinds": {"Kauf": "purchase"}}, "no type of ours"),
        ({"numbers": "roman"}, "numbers is one of"),
        ({"dates": "julian"}, "dates is one of"),
        ({"time_zone": "Mars"}, "There is no time zone"),
    ],
)
def test_a_mapping_is_checked(raw: object, words: str) -> None:
    with pytest.raises(ImportRefusedError, match=words) as caught:
        parse_mapping(raw)
    assert caught.value.code == "mapping_bad"


# --- Ids, order, limits of names -------------------------------------------------------------------------------------
TWINS = (
    "UTC_Time,Account,Operation,Coin,Change,Remark\n"
    "2024-01-01 00:00:00,Spot,Deposit,BTC,1,\n"
    "2024-01-01 00:00:00,Spot,Deposit,BTC,1,\n"
    "2024-01-01 00:00:05,Spot,Transaction Buy,ETH,2,\n"
    "2024-01-01 00:00:05,Spot,Transaction Spend,USDT,-100,\n"
    "2024-01-01 00:00:05,Spot,Transaction Buy,ETH,2,\n"
    "2024-01-01 00:00:05,Spot,Transaction Spend,USDT,-100,\n"
)
LATER = "2024-01-02 00:00:00,Spot,Deposit,BTC,1,\n"


def _ids(text: str) -> list[str | None]:
    return [draft.external_id for draft in read_file(data=text.encode()).drafts]


def test_twins_stay_both_and_have_ids_that_stand_over_overlapping_files() -> None:
    ids = _ids(TWINS)
    assert len(ids) == len(set(ids)) == 4
    head, *lines = TWINS.splitlines(keepends=True)
    assert _ids(TWINS + LATER)[:4] == ids
    assert set(_ids(head + "".join(reversed(lines)))) == set(ids)
    assert set(_ids(head + "".join(lines[:2]))) < set(ids)
    rewritten = "User ID,Time," + head.partition(",")[2] + "".join(f"9,{line[2:]}" for line in lines)
    assert set(_ids(rewritten.replace(",1,", ",1.00,"))) == set(ids)


def test_the_order_of_one_moment_is_that_of_the_oldest_first() -> None:
    head, *lines = (TWINS + LATER).splitlines(keepends=True)
    rising = read_file(data="".join([head, *lines]).encode()).drafts
    falling = read_file(data="".join([head, *reversed(lines)]).encode()).drafts
    key = [
        (draft.at_us, draft.type, draft.in_asset) for draft in sorted(rising, key=lambda one: (one.at_us, one.sequence))
    ]
    assert key == [
        (draft.at_us, draft.type, draft.in_asset)
        for draft in sorted(falling, key=lambda one: (one.at_us, one.sequence))
    ]


def test_names_that_the_ledger_cannot_keep_are_refused_by_line() -> None:
    long = "x" * 300
    head = "Date,Sent Amount,Sent Currency,Received Amount,Received Currency,Label,ID (read-only),Receiving Wallet\n"
    text = head + f"2024-01-01,,,1,BTC,reward,{long},\n2024-01-01,,,1,BTC,reward,,{long}\n2024-01-01,,,1,BTC,,,{long}\n"
    assert told(text) == ["2 ! text_too_long", "3 ! text_too_long", "4 ! text_too_long"]


def test_the_account_is_the_chosen_one_else_that_of_the_format() -> None:
    assert {draft.account for draft in read_file(data=TWINS.encode()).drafts} == {"Binance"}
    assert {draft.account for draft in read_file(data=TWINS.encode(), account="Mine").drafts} == {"Mine"}


# --- Hostile and real files ------------------------------------------------------------------------------------------
def _survives(data: bytes, wanted: str = "auto") -> None:
    try:
        found = read_file(data=data, wanted=wanted)
    except ImportRefusedError:
        return
    for row in found.rows:
        assert (row.draft is not None) + (row.error is not None) + bool(row.note) == 1
        if row.draft is not None:
            checked_draft(row.draft)


@hypothesis(max_examples=150, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused_by_name(data: bytes) -> None:
    _survives(data)


WORDS = st.sampled_from(
    [
        "", "-", "0", "1", "-1", "1e40", "0.1", "1,5", "(2)", "2024-01-01 00:00:00", "1640995200", "02/03/2024",
        "BTC", "USD", "USDT", "BTC-USDT", "XXBTZUSD", "buy", "sell", "Deposit", "Withdraw", "trade",
        "Transaction Buy", "Transaction Spend", "Fee", "transfer", "income", "Convert", "Converted 1 BTC to 2 ETH",
        "Staking", "=cmd|'/c calc'!A1", "\x00", "é", "spend", "receive", "Spot", "success", "kraken", "none",
        "999999999999999999999999999999999999999999999999999999999999", "swap", "Trade", "match", "fee",
    ]
)  # fmt: skip


@hypothesis(max_examples=200, deadline=None)
@given(st.sampled_from(LAYOUTS), st.data())
def test_any_cells_under_a_known_header_are_read_or_refused_by_line(layout: object, data: st.DataObject) -> None:
    names = [name.partition("#")[0] for name in layout.columns]  # type: ignore[attr-defined]
    rows = data.draw(st.lists(st.lists(WORDS, min_size=len(names), max_size=len(names)), max_size=6))
    written = io.StringIO()
    csv.writer(written).writerows([names, *rows])
    _survives(written.getvalue().encode())


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="no ../shared/data beside this checkout")
def test_every_real_sample_is_read_or_refused_by_name() -> None:
    for path in sorted(SAMPLES.iterdir()):
        _survives(path.read_bytes())
