"""The journal: posted trades survive a restart, a torn last line does not spoil them."""

from decimal import Decimal
from pathlib import Path

import pytest

from apps.simulator import hub
from apps.simulator.domain.shapes import Account, Side
from apps.simulator.domain.world import World
from apps.simulator.gateways.journal import Journal, JournalError
from apps.simulator.hub import Wishes, make_world
from apps.simulator.tests.factories import NOW, make_twin


@pytest.fixture(autouse=True)
def _markets_are_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "World", make_twin)


def _account(world: World) -> Account:
    return next(account for account in world.accounts("binance") if account.label == "treasury")


def _post(path: Path, *, seed: int = 7, side: Side = Side.BUY, now: int = NOW) -> dict[str, Decimal]:
    """Start a world, trade in it as the control route does, and return what the account holds then."""
    world, journal = make_world(Wishes(seed=seed, journal=path), now)
    assert journal is not None
    account = _account(world)
    fill = world.post_trade(account, "BTC/USDT", side, Decimal("0.25"), now)
    journal.append(journal.line(account, fill))
    return world.balances(account, now)


def _held(path: Path, *, seed: int = 7) -> dict[str, Decimal]:
    world, _ = make_world(Wishes(seed=seed, journal=path), NOW)
    return world.balances(_account(world), NOW + 1000)


def test_a_restart_goes_on_where_the_world_stopped(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "journal.jsonl"
    untouched = _held(path)
    first = _post(path)
    assert first != untouched
    assert _held(path) == first
    second = _post(path, side=Side.SELL, now=NOW + 500)
    assert _held(path) == second
    world, _ = make_world(Wishes(seed=7, journal=path), NOW)
    numbers = [fill.number for fill in world.fills(_account(world), NOW + 1000)]
    assert len(set(numbers)) == len(numbers)


def test_a_torn_last_line_is_cut_away(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    first = _post(path)
    whole = path.read_bytes()
    path.write_bytes(whole + whole[: len(whole) // 2])
    assert _held(path) == first
    assert path.read_bytes() == whole
    _post(path, now=NOW + 500)
    assert len(path.read_bytes().splitlines()) == 2


def test_trades_of_another_seed_stay_out(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    untouched = _held(path)
    _post(path, seed=8)
    assert _held(path) == untouched


@pytest.mark.parametrize("line", [b"{}\n", b"not json\n", b'{"seed": 7, "venue": "binance"}\n', b"[1]\n"])
def test_a_file_that_is_no_journal_is_refused(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(line)
    with pytest.raises(JournalError, match="Name another file"):
        Journal(path, 7).read()
    assert path.read_bytes() == line
