"""`manage book`: reading in pieces, errors beside good lines, one way of printing, and what cannot be read."""

import json
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any, cast

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from apps.portfolios.domain.booking import Line, line_of
from apps.portfolios.domain.booking.quick import LineReader
from apps.portfolios.domain.booking.reading import Document, Repeated, UnreadableError, read_value
from apps.portfolios.domain.transactions import EntryError, JsonNumber, parse_entry
from apps.portfolios.tests.ledgers import Row, engine_result, ledgers, policies, policy_changes

ODD_BUY = '{"id":"b","ts":1704067200000,"type":"buy","asset":"X","amount":1.000000000000000001,"price":"1e2"}'


def printed(folder: Path, text: str | bytes, *, policy: object = None) -> dict[str, Any]:
    file = folder / "ledger.json"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    options: dict[str, object] = {}
    if policy is not None:
        options["policy"] = folder / "policy.json"
        (folder / "policy.json").write_text(json.dumps(policy))
    out = StringIO()
    call_command("book", str(file), stdout=out, **options)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def codes(found: dict[str, Any]) -> list[tuple[object, object]]:
    return [(row["tx"], row["code"]) for row in found["errors"]]


# --- The command ---
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(ledger=ledgers(), policy=policies, changes=st.one_of(st.none(), policy_changes))
def test_the_file_is_booked_as_its_transactions_are(
    tmp_path: Path, ledger: list[Row], policy: Row, changes: list[Row] | None
) -> None:
    file: Row = {"transactions": ledger, "policy": policy, "policy_changes": changes}
    found = printed(tmp_path, json.dumps(file))
    expected = engine_result(file)
    assert {**found, "errors": []} == {**expected, "errors": []}
    assert sorted(map(str, codes(found))) == sorted(
        str((row["tx"], row["code"])) for row in cast("list[Row]", expected["errors"])
    )


def test_numbers_are_taken_from_their_text(tmp_path: Path) -> None:
    found = printed(tmp_path, b"\xef\xbb\xbf" + f"[{ODD_BUY}]".encode())
    assert found["remaining_lots"][0] == {
        "lot": "b",
        "asset": "X",
        "account": None,
        "amount": "1.000000000000000001",
        "cost_basis": "100.0000000000000001",
        "acquired_at": "2024-01-01T00:00:00Z",
    }


def test_bad_lines_stand_beside_the_good_ones(tmp_path: Path) -> None:
    lines = [
        '{"id":"n","ts":0,"type":"buy","asset":"X","amount":NaN,"price":1}',
        '{"id":"k","id":"d","ts":0}',
        '{"id":7,"id":8}',
        "5",
        '{"ts":0,"type":"buy"}',
        ODD_BUY,
        ODD_BUY,
    ]
    found = printed(tmp_path, f'{{"quote":7,"transactions":[{",".join(lines)}]}}')
    assert codes(found) == [
        ("n", "amount_not_finite"),
        ("d", "duplicate_key"),
        ("8", "duplicate_key"),
        (None, "not_an_object"),
        (None, "field_missing"),
        ("b", "duplicate_id"),
        (None, "field_invalid"),
    ]
    assert [row.get("index") for row in found["errors"]] == [0, 1, 2, 3, 4, 6, None]
    assert found["holdings"] == {"default": {"X": "1.000000000000000001"}}


def test_the_money_of_account_is_named_once(tmp_path: Path) -> None:
    fee = '{"id":"f","ts":0,"type":"fee","asset":"EUR","amount":"2"}'
    found = printed(tmp_path, f'{{"transactions":[{fee}],"quote":"EUR"}}')
    assert (found["fees_total"], found["errors"]) == ("2", [])


def test_a_policy_file_stands_above_the_file_itself(tmp_path: Path) -> None:
    text = f'{{"policy":{{"method":"acb","scope":"per_account"}},"transactions":[{ODD_BUY}]}}'
    assert list(printed(tmp_path, text)["pools"]) == ["default:X"]
    assert list(printed(tmp_path, text, policy={"method": "fifo"})["remaining_cost"]) == ["default:X"]
    assert list(printed(tmp_path, text, policy={"policy": {"scope": "universal"}})["pools"]) == ["X"]


def test_a_file_may_tell_how_its_policy_changes(tmp_path: Path) -> None:
    change = {"from": 1_700_000_000_000, "policy": {"method": "acb"}}
    file = {"policy": {"scope": "per_account"}, "policy_changes": [change], "transactions": [json.loads(ODD_BUY)]}
    assert list(printed(tmp_path, json.dumps(file))["pools"]) == ["X"]
    above = {"policy": {"scope": "universal"}, "policy_changes": [{**change, "policy": {"method": "lifo"}}]}
    for policy in ({"method": "fifo"}, above, {"method": "fifo", "policy_changes": []}):
        assert printed(tmp_path, json.dumps(file), policy=policy)["pools"] == {}
    refused: list[object] = [[change, change], [{"from": "soon", "policy": {}}], {}]
    for changes in refused:
        found = printed(tmp_path, json.dumps({**file, "policy_changes": changes}))
        assert (codes(found)[0][0], found["remaining_lots"]) == (None, [])
        assert codes(found)[0][1] in {"change_twice", "change_moment_invalid", "changes_invalid"}


@pytest.mark.parametrize("policy", [{"method": "uk_s104", "scope": "per_account"}, {"method": "none"}, [1]])
def test_a_refused_policy_is_an_error_and_nothing_is_booked(tmp_path: Path, policy: object) -> None:
    found = printed(tmp_path, f"[{ODD_BUY}]", policy=policy)
    assert codes(found)[0][1] in {"policy_refused", "policy_invalid"}
    assert found["holdings"] == {}
    own = printed(tmp_path, json.dumps({"transactions": [], "policy": policy}))
    assert codes(own) == codes(found)


def test_many_disposals_are_printed_in_pieces(tmp_path: Path) -> None:
    sales = [
        {"id": str(number), "ts": number, "type": "sell", "asset": "X", "amount": "1", "value": "1"}
        for number in range(4_500)
    ]
    assert len(printed(tmp_path, json.dumps({"transactions": sales}))["disposals"]) == 4_500


@pytest.mark.parametrize(
    "text",
    [
        "",
        "7",
        '"text"',
        "{}",
        '{"policy":{}}',
        '{"transactions":{}}',
        '{"transactions":[]',
        '{"transactions":[],"transactions":[]}',
        '{"policy":{},"policy":{},"transactions":[]}',
        '{"transactions":[]} more',
        "[] more",
        '{5:1,"transactions":[]}',
        '{"transactions" []}',
        "[{]",
        "[" + ODD_BUY + ",]",
        "[" + "[" * 200_000,
        b"\xff[]",
    ],
)
def test_what_is_no_such_file_is_said_in_a_sentence(tmp_path: Path, text: str | bytes) -> None:
    with pytest.raises(CommandError, match=r"cannot be read"):
        printed(tmp_path, text)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="No such file"):
        call_command("book", str(tmp_path / "none.json"))


def test_the_command_needs_no_settings_and_no_services(tmp_path: Path) -> None:
    file = tmp_path / "ledger.json"
    file.write_text(f"[{ODD_BUY}]")
    command = [sys.executable, str(django_settings.BASE_DIR / "manage.py")]
    done = subprocess.run([*command, "book", str(file)], env={}, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["holdings"] == {"default": {"X": "1.000000000000000001"}}
    none = subprocess.run([*command, "measure", "none.json"], env={}, capture_output=True, text=True, check=False)
    assert (none.returncode, none.stderr) == (1, "none.json cannot be read: No such file or directory.\n")


# --- Reading in pieces ---
def pieces(text: str, size: int) -> Iterator[str]:
    return (text[start : start + size] for start in range(0, len(text), size))


@given(
    items=st.lists(
        st.dictionaries(st.sampled_from(["a", "b},{", 'c"\\']), st.sampled_from(["x", "},", "],[", "\\u007d,"])),
        max_size=9,
    ),
    size=st.integers(1, 40),
    space=st.sampled_from(["", " ", "\n  "]),
)
def test_any_cut_of_a_file_reads_the_same(items: list[dict[str, str]], size: int, space: str) -> None:
    body = f",{space}".join(json.dumps(item) for item in items)
    text = f'{{"first":{{"a":"}},"}},{space}"transactions":[{body}]{space},"last":[{{}},{{}}]}}{space}'
    document = Document(pieces(text, size))
    assert list(document.transactions()) == items
    assert document.rest == {"first": {"a": "},"}, "last": [{}, {}]}


def test_numbers_cut_in_two_are_one_number() -> None:
    assert list(Document(["[1", "23, 4", "5]"]).transactions()) == [JsonNumber("123"), JsonNumber("45")]


def test_one_value_is_read_by_the_same_rules() -> None:
    assert read_value('{"a": 1.50}') == {"a": JsonNumber("1.50")}
    repeated = read_value('{"a": 1, "a": 2}')
    assert isinstance(repeated, Repeated)
    assert repeated.key == "a"
    for text in ("{} {}", "[" * 200_000):
        with pytest.raises(UnreadableError):
            read_value(text)


# --- The short way to a line ---
texts = st.sampled_from(
    [
        "X",
        "",
        " X",
        "1",
        "0",
        "0.0",
        "1.",
        ".5",
        "1e2",
        "-1",
        "+1",
        "\u0661",
        "1" * 41,
        "0." + "1" * 31,
        "1.50",
        ".",
        "in",
    ]
)
things = st.one_of(st.none(), texts, texts.map(JsonNumber), st.integers(0, 3), st.just(True), st.just(["X"]))
names = st.sampled_from(["X", "Y"])
numbers = st.sampled_from(["1", "2.5", "0.1"])
GOOD: dict[str, st.SearchStrategy[object]] = {
    "id": names,
    "ts": st.sampled_from(["2024-01-01T00:00:00Z", JsonNumber("1704067200000")]),
    **dict.fromkeys(("asset", "out_asset", "in_asset", "from_account", "to_account"), names),
    **dict.fromkeys(("amount", "out_amount", "in_amount", "value"), numbers),
    "ratio": numbers,
}
PLAIN: dict[str, object] = {**dict.fromkeys(GOOD, "1"), "ts": "2024-01-01T00:00:00Z"}
ODD_TIMES = [None, "now", "2024-01-01", "0001-01-01T00:00:00Z", JsonNumber("1.5"), 5, "2024-01-01T00:00:00"]
ODD: dict[str, st.SearchStrategy[object]] = {
    **dict.fromkeys((*GOOD, "account", "quote", "price", "fee", "fee_asset", "fee_value", "received", "kind"), things),
    "ts": st.sampled_from(ODD_TIMES),
    "fee_on": st.sampled_from(["in", "out", "up"]),
}
KINDS = ["buy", "sell", "trade", "income", "spend", "fee", "transfer", "split", "gift", None]


@settings(max_examples=300, deadline=None)
@given(
    good=st.fixed_dictionaries({**GOOD, "type": st.sampled_from(KINDS)}),
    odd=st.sampled_from(list(ODD)).flatmap(lambda name: st.fixed_dictionaries({name: ODD[name]})),
)
@example(good={**PLAIN, "type": "trade"}, odd={"fee_on": "up"})
@example(good={**PLAIN, "type": "buy"}, odd={"asset": ""})
@example(good={**PLAIN, "type": "buy"}, odd={"ts": "0001-01-01T00:00:00Z"})
@example(good={**PLAIN, "type": "buy"}, odd={"ts": "now"})
@example(good={**PLAIN, "type": "buy"}, odd={"ts": 5})
@example(good={**PLAIN, "type": "buy"}, odd={"amount": "0"})
@example(good={**PLAIN, "type": "transfer"}, odd={"received": "9"})
@example(good={**PLAIN, "type": "income"}, odd={"fee": "1"})
@example(good={**PLAIN, "type": "sell"}, odd={"price": "0." + "1" * 31})
def test_the_short_way_says_what_the_long_way_says(good: dict[str, object], odd: dict[str, object]) -> None:
    raw = good | odd
    assert short_way(raw) == long_way(raw)


def short_way(raw: dict[str, object]) -> Line | str:
    try:
        return LineReader().line(raw, index=0)
    except EntryError as error:
        return error.code


def long_way(raw: dict[str, object]) -> Line | str:
    try:
        return line_of(parse_entry(raw))
    except EntryError as error:
        return error.code


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "was expected at its end"),
        ('{"transactions": [{"id": }]}', "no JSON near "),
        ("\x89PNG\r\n\x1a\n\x00\x00", "near something that is no text"),
        ("\x1b[2Jrubbish", "near something that is no text"),
    ],
)
def test_a_file_that_is_none_is_said_without_its_bytes(tmp_path: Path, text: str, place: str) -> None:
    file = tmp_path / "given.json"
    file.write_bytes(text.encode())
    with pytest.raises(CommandError, match=place) as caught:
        call_command("book", str(file))
    assert str(caught.value).isprintable()
