"""The log: no secret in any line of any logger, request ids in all of them, text and JSON."""

import io
import json
import logging
import re
import time
from collections.abc import Callable, Iterator

import pytest
import structlog
from django.conf import settings

from apps.core import logs

CANARY = "kJ8s0fPq3ZtY7wLm"
JWT = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJlLWNhbmFyeQ"
SECRET_TEXTS = [
    f"Authorization: Bearer {CANARY}",
    f"Authorization: Basic {CANARY}==",
    f"{{'Authorization': 'Token {CANARY}'}}",
    f"authorization={CANARY}",
    f"Cookie: coinsphere_session={CANARY}; coinsphere_csrf={CANARY}",
    f"sent Bearer {CANARY}",
    f"used cs_pat_{CANARY}",
    f"token {JWT}",
    JWT,
    f"api_key={CANARY}",
    f"GET /api/v3/account?apiKey={CANARY}&timestamp=1&signature={CANARY}",
    f"X-MBX-APIKEY: {CANARY}",
    f"'KC-API-PASSPHRASE': '{CANARY}'",
    f"CB-ACCESS-SIGN: {CANARY}",
    f"secret: {CANARY}",
    f"client_secret = '{CANARY} with words'",
    f"password={CANARY}",
    f"passphrase={CANARY}, label=x",
    f"new_password='{CANARY}'",
    f'{{"api_secret": "{CANARY}", "label": "x"}}',
    f"{{'api_secret': '{CANARY}', 'label': 'x'}}",
    json.dumps(json.dumps({"api_key": CANARY, "passphrase": f'a"{CANARY}'})),
    f"[('secret', '{CANARY}')]",
    f"refresh_token: '{CANARY}'",
    f"redis://:{CANARY}@127.0.0.1:6379/0 and postgres://user:{CANARY}@host/db",
    f"https://rpc.example/v2?token={CANARY}",
    f"api.telegram.org/bot123456789:AA{CANARY}{CANARY}/sendMessage",
    f"-----BEGIN PRIVATE KEY-----\n{CANARY}\n-----END PRIVATE KEY-----",
    f"totp={CANARY}",
    f"otpauth://totp/Coinsphere:me?secret={CANARY}&issuer=Coinsphere",
    f"SECRET_KEY={CANARY}",
    f"b'password={CANARY}'",
]
HARMLESS = [
    "GET /api/v1/portfolios?limit=50&cursor=abc 200",
    "Task core.reap_work[5f1] succeeded in 0.01s",
    "Synced 100 trades of BTC/USDT at 12:30:11, key takeaways: none",
    "The password was changed",
    "Listening at http://127.0.0.1:8000 and ws://127.0.0.1:8001/ws",
    "3 tokens left in the bucket",
    "postgres://127.0.0.1:5432/coinsphere",
]


class PrintedError(RuntimeError):
    """An error with something in it."""


def fail_with(text: str) -> None:
    raise PrintedError(text)


@pytest.fixture
def written() -> Iterator[Callable[[], str]]:
    """Write JSON lines of the whole process to memory; call the result to read them."""
    stream = io.StringIO()
    handler = logs.make_handler(as_json=True, stream=stream)
    root = logging.getLogger()
    root.addHandler(handler)
    yield stream.getvalue
    root.removeHandler(handler)


@pytest.mark.parametrize("text", SECRET_TEXTS)
def test_no_shape_of_a_secret_is_left(text: str) -> None:
    cleaned = logs.redact(text)
    assert CANARY not in cleaned
    assert JWT.split(".")[2] not in cleaned
    assert logs.HIDDEN in cleaned


@pytest.mark.parametrize("text", HARMLESS)
def test_other_text_stays_as_it_is(text: str) -> None:
    assert logs.redact(text) == text


def test_redaction_of_a_long_line_is_quick(benchmark_seconds: Callable[[Callable[[], object]], float]) -> None:
    line = "GET /api/v1/portfolios/0190?limit=50 took 12 ms; " * 40
    assert benchmark_seconds(lambda: logs.redact(line)) < 0.05


@pytest.fixture
def benchmark_seconds() -> Callable[[Callable[[], object]], float]:
    import timeit

    return lambda call: min(timeit.repeat(call, number=1, repeat=5))


@pytest.mark.parametrize("text", SECRET_TEXTS)
def test_message_arguments_and_traceback_of_any_logger(text: str, written: Callable[[], str]) -> None:
    for name in ("django.request", "celery.app.trace", "uvicorn.error", "anything.at.all"):
        logger = logging.getLogger(name)
        logger.error(text.replace("%", "%%"))
        logger.error("said %s", text)
        logger.error("said %(what)s", {"what": text})
        try:
            fail_with(text)
        except PrintedError:
            logger.exception("failed")
            structlog.get_logger(name).exception("failed", said=text, nested={"list": [text, {"deep": text}]})
    output = written()
    assert output.count("\n") == 20
    assert "Printed" in output
    assert CANARY not in output
    assert JWT.split(".")[2] not in output


def test_fields_with_a_secret_name_are_hidden_whole(written: Callable[[], str]) -> None:
    class Opaque:
        def __repr__(self) -> str:
            return "***"

    structlog.get_logger("x").info(
        "connect",
        api_key=CANARY,
        headers={"X-Api-Secret": CANARY},
        password=[CANARY],
        other=Opaque(),
        raw=CANARY.encode()[:2],
    )
    line = json.loads(written())
    assert (line["api_key"], line["headers"], line["password"]) == ("***", {"X-Api-Secret": "***"}, "***")
    assert (line["other"], line["raw"]) == ("***", "kJ")


def test_other_handlers_get_clean_records_too() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logger = logging.getLogger("another.handler")
    logger.addHandler(handler)
    try:
        fail_with(f"api_key={CANARY}")
    except PrintedError:
        logger.exception("said %s", f"password={CANARY}")
        structlog.get_logger("another.handler").exception("said", password=CANARY)
    finally:
        logger.removeHandler(handler)
    assert "Printed" in stream.getvalue()
    assert CANARY not in stream.getvalue()


def test_arguments_that_do_not_fit_do_not_lose_the_line(written: Callable[[], str]) -> None:
    logging.getLogger("x").warning("%d things", "no number")
    assert "no number" in written()


def test_every_line_carries_the_request_id(written: Callable[[], str]) -> None:
    with logs.bind_request_id("abc-1"):
        logging.getLogger("django.request").warning("one")
        structlog.get_logger("x").info("two", number=2)
    structlog.get_logger("x").info("three")
    lines = [json.loads(line) for line in written().splitlines()]
    assert [line.get("request_id") for line in lines] == ["abc-1", "abc-1", None]
    assert lines[1] | {"timestamp": ""} == {
        "event": "two",
        "number": 2,
        "level": "info",
        "logger": "x",
        "request_id": "abc-1",
        "timestamp": "",
    }


def test_text_lines_are_plain_off_a_terminal() -> None:
    stream = io.StringIO()
    handler = logs.make_handler(as_json=False, stream=stream)
    logging.getLogger().addHandler(handler)
    try:
        structlog.get_logger("x").warning("Something happened", count=3)
    finally:
        logging.getLogger().removeHandler(handler)
    assert re.fullmatch(r"\d{4}-\S+Z \[warning +\] Something happened +\[x\] count=3\n", stream.getvalue())


@pytest.mark.parametrize(
    ("sent", "kept"),
    [("abc", True), ("A-b_c.9", True), ("x" * 64, True), ("x" * 65, False), ("", False), (None, False), ("a b", False),
     ("a\nb", False), ("ä", False), ("<x>", False)],
)  # fmt: skip
def test_request_ids_are_sane(sent: str | None, kept: bool) -> None:
    used = logs.sane_request_id(sent)
    assert (used == sent) is kept
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,64}", used)


def test_a_task_runs_under_the_request_it_was_sent_with() -> None:
    with logs.bind_request_id("outer"):
        logs.enter_task("t1", "inner")
        assert logs.current_request_id() == "inner"
        logs.leave_task("t1")
        logs.leave_task("t1")
        assert logs.current_request_id() == "outer"


def test_configure_keeps_one_handler_and_takes_foreign_ones() -> None:
    foreign = logging.getLogger("uvicorn.access")
    foreign.addHandler(logging.NullHandler())
    level = logging.getLogger().level
    logs.configure(settings.LOGGING)
    logs.configure(settings.LOGGING)
    ours = [handler for handler in logging.getLogger().handlers if handler.get_name() == "coinsphere"]
    assert len(ours) == 1
    assert foreign.handlers == []
    logging.getLogger().setLevel(level)


def test_a_hostile_line_is_read_in_no_time() -> None:
    began = time.process_time()
    logs.redact("eyJ-" * 4_000)
    assert time.process_time() - began < 0.5


def test_a_very_long_line_is_cut() -> None:
    record = logs.RedactedRecord("x", logging.WARNING, __file__, 1, "Not Found: %s", ("/" + "a" * 20_000,), None)
    assert len(record.getMessage()) < 9_000
    assert record.getMessage().endswith("... (11820 characters left out)")
