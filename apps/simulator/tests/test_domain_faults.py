"""Fault switches: which request they hit, how often and how long."""

from apps.simulator.domain.faults import ANSWER_FAULTS, FaultBoard, Switch


def _board(*switches: Switch) -> FaultBoard:
    board = FaultBoard()
    for switch in switches:
        board.add(switch)
    return board


def _switch(
    fault: str, *, path: str = "", left: int | None = None, until_ms: int | None = None, label: str = ""
) -> Switch:
    return Switch(fault, path, left, until_ms, label=label, symbol="BTC/USDT", amount_ms=5)


def _names(board: FaultBoard, paths: list[str], now: int = 0) -> list[str]:
    picked = (board.pick(ANSWER_FAULTS, path, now) for path in paths)
    return [switch.fault if switch else "" for switch in picked]


def test_a_fault_hits_the_paths_that_begin_so() -> None:
    board = _board(_switch("429", path="/api/v3/"), _switch("5xx", path="/sapi"))
    assert _names(board, ["/api/v3/time", "/sapi/v1/x", "/api/v1", "/"]) == ["429", "5xx", "", ""]


def test_a_fault_hits_so_often_and_the_next_one_follows() -> None:
    board = _board(_switch("empty", left=2), _switch("hang", left=1))
    assert _names(board, ["/"] * 4) == ["empty", "empty", "hang", ""]
    assert board.active(0) == []


def test_a_fault_lasts_so_long() -> None:
    board = _board(_switch("slow", until_ms=1_000))
    assert _names(board, ["/"], now=999) == ["slow"]
    assert _names(board, ["/"], now=1_000) == [""]


def test_clearing_turns_everything_off() -> None:
    board = _board(_switch("429"), _switch("clock_skew"))
    board.clear()
    assert _names(board, ["/"]) == [""]
    assert board.skew_ms("/", 0) == 0


def test_faults_of_state_are_used_up_by_answers_only() -> None:
    board = _board(
        _switch("clock_skew", left=2), _switch("delist", path="/api", left=1), _switch("revoke_key", label="main")
    )
    assert [board.skew_ms("/", 0) for _ in range(3)] == [5, 5, 5]
    board.passed("/other", 0)
    assert board.skew_ms("/", 0) == 5
    assert board.delisted("/api/x", 0) == {"BTC/USDT"}
    board.passed("/api/x", 0)
    assert board.skew_ms("/", 0) == 0
    assert board.delisted("/api/x", 0) == set()
    assert board.revoked("main", "/", 0)
    assert not board.revoked("other", "/", 0)


def test_a_revoked_key_without_a_label_is_every_key() -> None:
    assert _board(_switch("revoke_key")).revoked("anyone", "/", 0)
