"""How the product logs: one chain for structlog and stdlib loggers, text or JSON lines, secrets taken out below all."""

import logging
import os
import re
import sys
import traceback
from collections.abc import Mapping
from contextvars import ContextVar, Token
from dataclasses import dataclass
from types import TracebackType
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

HIDDEN = "***"
REQUEST_ID_MARK = "coinsphere.request_id"
_LONGEST_MESSAGE = 8_192
_SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_request_id: ContextVar[str] = ContextVar("request_id", default="")

# Loggers that bring handlers of their own; their lines go through ours instead.
_FOREIGN_LOGGERS = (
    "django",
    "django.server",
    "celery",
    "celery.task",
    "uvicorn",
    "uvicorn.error",
    "uvicorn.access",
    "_granian",
    "granian.access",
)
# Some of them tell whole addresses, and an exchange's address carries a signature.
_QUIET_LOGGERS = dict.fromkeys(("httpx", "httpcore", "asyncio", "urllib3", "ccxt"), logging.WARNING)


# --- Request id -----------------------------------------------------------------------------------------------------
def current_request_id() -> str:
    """Return the id of the request that this work belongs to, or nothing."""
    return _request_id.get()


def new_request_id() -> str:
    """Return a fresh request id."""
    return os.urandom(16).hex()


def sane_request_id(value: str | None) -> str:
    """Return the id somebody sent if it may stand in our logs, else a fresh one."""
    return value if value and _SANE_REQUEST_ID.fullmatch(value) else new_request_id()


class bind_request_id:  # noqa: N801 - used as a verb, and too often to be a generator
    """Let every line logged inside the block, and every job started there, carry this request id."""

    __slots__ = ("_token", "_value")

    def __init__(self, value: str) -> None:
        self._value = value

    def __enter__(self) -> str:
        self._token = _request_id.set(self._value)
        return self._value

    def __exit__(self, *_failure: object) -> None:
        _request_id.reset(self._token)


_tasks: dict[str, Token[str]] = {}


def enter_task(task_id: str, request_id: str | None) -> None:
    """Begin a task under the request id it was sent with."""
    _tasks[task_id] = _request_id.set(sane_request_id(request_id))


def leave_task(task_id: str) -> None:
    """End the task: what was bound before is bound again."""
    token = _tasks.pop(task_id, None)
    if token is not None:
        _request_id.reset(token)


# --- Redaction ------------------------------------------------------------------------------------------------------
_NAMES = (
    r"(?:api[_-]?key|api[_-]?secret|api[_-]?sign|access[_-]?key|access[_-]?sign|private[_-]?key|secret[_-]?key"
    r"|master[_-]?key|data[_-]?key|secret|seed|mnemonic|passphrase|password|passwd|token|authorization|signature"
    r"|cookie|sessionid|coinsphere_session|csrf|csrfmiddlewaretoken|ticket|otp)\d*"
)
_NAME_ONLY = re.compile(rf"[\w-]*?{_NAMES}", re.IGNORECASE)
_QUOTE = r"(?:\\*[\"'])"
# From a quote to the same quote, past quotes that are escaped once more, or to the end of a text cut short.
_QUOTED = rf"(?P<open>{_QUOTE})(?:(?!(?<!\\)(?P=open)).)*(?:(?P=open)|\Z)"
_NAME_HINTS = (
    "key",
    "sec",
    "seed",
    "mnem",
    "pass",
    "token",
    "author",
    "sign",
    "cookie",
    "sess",
    "csrf",
    "ticket",
    "otp",
)


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a secret looks like; the hints are looked for first, because most lines hold none of them."""

    hints: tuple[str, ...]
    pattern: re.Pattern[str]
    instead: str


def _shape(hints: tuple[str, ...], pattern: str, instead: str = HIDDEN) -> _Shape:
    return _Shape(hints, re.compile(pattern, re.IGNORECASE | re.DOTALL), instead)


_SHAPES = (
    _shape(("-----begin",), r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"),
    # "Authorization: Bearer x", "Cookie: a=b; c=d": the whole value goes, up to a quote or the end of the line
    _shape(
        ("authorization", "cookie"),
        rf"(authorization|cookie)({_QUOTE}?\s*[:=,]\s*b?{_QUOTE}?)[^\"'\\\r\n]+",
        rf"\1\2{HIDDEN}",
    ),
    _shape(("bearer", "basic", "token"), r"\b(bearer|basic|token)\s+[A-Za-z0-9._~+/=:-]{16,}", rf"\1 {HIDDEN}"),
    # the address of a shared page: whatever stands in the place of its secret, also half of one
    _shape(("/shared/",), r"(/shared/)[^\s\"'\\]+", rf"\1{HIDDEN}"),
    _shape(("cs_",), r"\bcs_[a-z]{2,12}_[A-Za-z0-9_-]{8,}"),
    # begins where a word begins, also past a dash, so that a long run of beginnings is read once only
    _shape(("eyj",), r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_.-]{4,}"),
    _shape((":aa",), r"(?<!\d)\d{6,12}:AA[A-Za-z0-9_-]{28,}"),
    _shape(("://",), r"://[^\s/@\"'\\]+@", rf"://{HIDDEN}@"),
    # "api_key": "x", 'api_key': 'x', also escaped once more inside JSON; ("api_key", "x"); api_key="x y"
    _shape(_NAME_HINTS, rf"({_NAMES}(?:{_QUOTE}\s*[:=,]|\s*[:=])\s*b?){_QUOTED}", rf"\1\g<open>{HIDDEN}\g<open>"),
    # api_key=x&, token: x
    _shape(_NAME_HINTS, rf"({_NAMES}{_QUOTE}?\s*[:=]\s*)(?!{_QUOTE})[^\s&,;)\]}}\"'\\]+", rf"\1{HIDDEN}"),
)


def redact(text: str) -> str:
    """Return the text with everything that has the shape of a secret taken out."""
    lowered = text.lower()
    for shape in _SHAPES:
        if any(hint in lowered for hint in shape.hints):
            text = shape.pattern.sub(shape.instead, text)
    return text


def _redact_value(value: object, depth: int = 0) -> object:
    """Return a value that may be written down: plain ones as they are, text redacted, containers walked through."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, bytes):
        return redact(value.decode("utf-8", "replace"))
    if depth < 6 and isinstance(value, Mapping):
        return {str(key): _redact_pair(str(key), item, depth + 1) for key, item in value.items()}
    if depth < 6 and isinstance(value, list | tuple | set | frozenset):
        return [_redact_value(item, depth + 1) for item in value]
    return redact(_written(value))


def _redact_pair(name: str, value: object, depth: int = 0) -> object:
    hidden = value not in (None, "") and not isinstance(value, bool) and _NAME_ONLY.fullmatch(name)
    return HIDDEN if hidden else _redact_value(value, depth)


def _shortened(message: str) -> str:
    """Cut what a stranger made very long, such as an address: reading it must not take longer than sending it."""
    left_out = len(message) - _LONGEST_MESSAGE
    return message if left_out <= 0 else f"{message[:_LONGEST_MESSAGE]}... ({left_out} characters left out)"


def _written(value: object) -> str:
    try:
        return str(value)
    except Exception as problem:  # noqa: BLE001 - a broken __str__ must not stop the line that reports it
        return f"<{type(value).__name__} that cannot be written: {type(problem).__name__}>"


def redact_event(_logger: WrappedLogger | None, _method: str, event: EventDict) -> EventDict:
    """Take secrets out of a structlog event, traceback included."""
    for name, value in list(event.items()):
        if not name.startswith("_"):
            event[name] = _redact_pair(name, value)
    return event


class RedactedRecord(logging.LogRecord):
    """A log record without secrets, whatever logger made it and whatever handler reads it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as in the standard library
        super().__init__(*args, **kwargs)
        if isinstance(self.msg, dict):  # an event of structlog
            self.msg = redact_event(None, "", {**self.msg})
        else:
            message = self.getMessage()
            cleaned = redact(_shortened(message))
            if cleaned != message:
                self.msg, self.args = cleaned, ()
        if isinstance(self.exc_info, tuple) and self.exc_info[0] is not None:
            self.exc_text = redact("".join(traceback.format_exception(*self.exc_info)).rstrip())

    def getMessage(self) -> str:  # noqa: N802 - the name is the standard library's
        """Return the message; arguments that do not fit the text do not lose the line."""
        try:
            return super().getMessage()
        except (TypeError, ValueError):
            return redact(f"{self.msg} {self.args}")


# --- The chain ------------------------------------------------------------------------------------------------------
def _add_request_id(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    request_id = _request_id.get() or _id_of_request(event)
    if request_id:
        event.setdefault("request_id", request_id)
    return event


def _id_of_request(event: EventDict) -> str:
    """Return the id of the request that a line of Django's is about: it logs some after the middleware has ended."""
    request = getattr(event.get("_record"), "request", None)
    return str(getattr(request, "META", {}).get(REQUEST_ID_MARK, ""))


def _shared_chain() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        _add_request_id,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]


def _renderer(*, as_json: bool, stream: TextIO) -> Processor:
    if as_json:
        return structlog.processors.JSONRenderer(ensure_ascii=False, default=_written)
    return structlog.dev.ConsoleRenderer(colors=stream.isatty(), pad_event_to=40, sort_keys=True)


def make_handler(*, as_json: bool, stream: TextIO) -> logging.Handler:
    """Return the handler that writes every line of the process."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_shared_chain(),
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                redact_event,
                _renderer(as_json=as_json, stream=stream),
            ],
        )
    )
    handler.set_name("coinsphere")
    return handler


def configure(config: Mapping[str, str]) -> None:
    """Set logging up for this process; the settings name it as LOGGING_CONFIG."""
    logging.setLogRecordFactory(RedactedRecord)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *_shared_chain(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    root = logging.getLogger()
    for handler in [handler for handler in root.handlers if handler.get_name() == "coinsphere"]:
        root.removeHandler(handler)
    root.addHandler(make_handler(as_json=config.get("format") == "json", stream=sys.stderr))
    root.setLevel(config.get("level", "INFO"))
    for name in _FOREIGN_LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    for name, level in _QUIET_LOGGERS.items():
        logging.getLogger(name).setLevel(level)
    logging.captureWarnings(True)  # noqa: FBT003 - the standard library takes no keyword here
    sys.excepthook = _log_crash


def _log_crash(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Log what ends the process, redacted like everything else."""
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    logging.getLogger("coinsphere").critical("The process ends with an error", exc_info=(kind, error, trace))
