"""What can go wrong with an exchange, by our own table: ccxt's classes alone mislead."""

import math
from dataclasses import dataclass
from typing import Final

from apps.core.errors import InvalidError, ProductError, UnavailableError

_REFUSED_REGION: Final = frozenset({403, 451})
_TOO_MANY: Final = frozenset({418, 429})
_SERVER_ERRORS: Final = 500
_LONGEST_PAUSE: Final = 3600
_USUAL_PAUSE: Final = 30


class VenueUnavailableError(UnavailableError):
    """The exchange does not answer, or says that it cannot at the moment; worth another try later."""

    code = "venue_unavailable"
    title = "The exchange does not answer"
    default_detail = "The exchange cannot be reached at the moment. It is tried again by itself."


class BadAnswerError(VenueUnavailableError):
    """The exchange answered with something that is no answer: HTML, cut JSON, nothing, or another shape."""

    code = "venue_bad_answer"
    title = "The exchange's answer makes no sense"
    default_detail = "The exchange answered with nonsense. Nothing was changed, and it is tried again by itself."


class VenueBusyError(UnavailableError):
    """The exchange, or our own politeness, asks for a pause; `retry_after` says how long."""

    code = "venue_busy"
    title = "The exchange asks for a pause"
    default_detail = "Too much was asked of the exchange. It is tried again by itself after the pause it asks for."


class VenueBlockedError(UnavailableError):
    """The exchange does not serve the place that this server calls from."""

    code = "venue_blocked"
    title = "The exchange does not serve this address"
    default_detail = "The exchange refuses this server's address or region. Choose another exchange for prices."


class VenueRefusedError(InvalidError):
    """The exchange understood and says no: an unknown pair, a bad parameter. The same again brings the same."""

    code = "venue_refused"
    title = "The exchange refuses this"
    default_detail = "The exchange does not know this pair or does not offer this. Choose another one."


@dataclass(frozen=True, slots=True)
class Heard:
    """What the exchange's last answer said besides its body."""

    status: int = 0
    retry_after: str = ""


#: ccxt quotes the body at the end of its error: an exchange that refuses says why.
_SAYS_NOTHING: Final = (" {}", " []", " null")
#: Texts by which an exchange says what it means, whatever class ccxt makes of them. The first that fits counts.
_BY_TEXT: Final[dict[str, tuple[tuple[str, type[ProductError]], ...]]] = {
    "binance": (
        ("-2015", VenueRefusedError),
        ("-2014", VenueRefusedError),
        ("-1003", VenueBusyError),
        ("-1015", VenueBusyError),
        ("-1000", VenueUnavailableError),
        ("-1001", VenueUnavailableError),
        ("-1008", VenueUnavailableError),
        ("-1121", VenueRefusedError),
    ),
    "coinbase": (("request timestamp expired", VenueUnavailableError),),
    "kraken": (
        ("EAPI:Rate limit", VenueBusyError),
        ("EGeneral:Too many requests", VenueBusyError),
        ("EGeneral:Temporary lockout", VenueBusyError),
        ("EAPI:Invalid", VenueRefusedError),
        ("EService:", VenueUnavailableError),
        ("EGeneral:Internal error", VenueUnavailableError),
        ("EQuery:", VenueRefusedError),
    ),
    "kucoin": (
        ("200002", VenueBusyError),
        ("429000", VenueBusyError),
        ("500000", VenueUnavailableError),
        ("400100", VenueRefusedError),
        ("900001", VenueRefusedError),
    ),
}
#: ccxt's class names, from the narrow to the wide; an error counts as the first of its own line of descent.
_BY_CLASS: Final[tuple[tuple[str, type[ProductError]], ...]] = (
    ("NullResponse", BadAnswerError),
    ("BadResponse", BadAnswerError),
    ("RateLimitExceeded", VenueBusyError),
    ("DDoSProtection", VenueBusyError),
    ("OperationFailed", VenueUnavailableError),
    ("BaseError", VenueRefusedError),
)


def classified(venue: str, error: Exception, heard: Heard) -> ProductError:
    """Return our error for what ccxt raised; the exchange's own words decide, then the status, then the class."""
    kind = _by_text(venue, str(error).rstrip()) or _by_status(heard.status) or _by_class(error)
    if kind is VenueBusyError:
        return VenueBusyError(retry_after=_pause(heard.retry_after))
    return kind()


def _by_text(venue: str, text: str) -> type[ProductError] | None:
    if text.endswith(_SAYS_NOTHING):
        return BadAnswerError
    return next((kind for sign, kind in _BY_TEXT.get(venue, ()) if sign in text), None)


def _by_status(status: int) -> type[ProductError] | None:
    if status in _TOO_MANY:
        return VenueBusyError
    if status in _REFUSED_REGION:
        return VenueBlockedError
    if status >= _SERVER_ERRORS:
        return VenueUnavailableError
    return None


def _by_class(error: Exception) -> type[ProductError]:
    line = {kind.__name__ for kind in type(error).__mro__}
    return next((kind for name, kind in _BY_CLASS if name in line), BadAnswerError)


def _pause(text: str) -> int:
    try:
        return min(_LONGEST_PAUSE, max(1, math.ceil(float(text))))
    except (ValueError, OverflowError):
        return _USUAL_PAUSE
