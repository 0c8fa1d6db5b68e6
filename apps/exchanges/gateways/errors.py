"""What can go wrong on the private side of an exchange, by our own table: ccxt's classes alone mislead."""

from typing import Final

from apps.core.errors import InvalidError, ProductError, UnavailableError
from apps.markets.actions.venue_clients import (
    BadAnswerError,
    Heard,
    VenueBlockedError,
    VenueBusyError,
    VenueRefusedError,
    VenueUnavailableError,
    usual_meaning,
)

__all__ = [
    "BadAnswerError",
    "ClockOffError",
    "CredentialsRejectedError",
    "KeyCanWithdrawError",
    "PermissionMissingError",
    "VenueBlockedError",
    "VenueBusyError",
    "VenueRefusedError",
    "VenueUnavailableError",
    "meaning_of",
]


class CredentialsRejectedError(InvalidError):
    """The exchange does not know this key, or the secret does not belong to it."""

    code = "credentials_rejected"
    title = "The exchange rejects this key"
    default_detail = (
        "The exchange does not accept this key. Check that key, secret and passphrase are complete and belong "
        "together, that the key was not deleted there, and that it may be used from this server's address."
    )


class PermissionMissingError(InvalidError):
    """The key is known, and may not read what is needed."""

    code = "permission_missing"
    title = "The key may not read everything"
    default_detail = "Allow this key to read balances and history at the exchange, or make a new read-only key there."


class KeyCanWithdrawError(InvalidError):
    """The key can move coins away, so that it is not taken."""

    code = "key_can_withdraw"
    title = "This key can move your coins"
    default_detail = (
        "This key can withdraw or transfer. Make one at the exchange that can only read, and delete this one there."
    )


class ClockOffError(UnavailableError):
    """The exchange refuses the time or the number of a request, also after our clock was set by its own."""

    code = "venue_clock"
    title = "The exchange refuses the time of our requests"
    default_detail = (
        "The exchange finds our requests too early, too late or out of order. Check this server's clock, and that no "
        "other program uses the same key. It is tried again by itself."
    )


#: Texts by which an exchange says what it means, whatever class ccxt makes of them. The first that fits counts.
_BY_TEXT: Final[dict[str, tuple[tuple[str, type[ProductError]], ...]]] = {
    "binance": (
        ("-1021", ClockOffError),
        ("-2015", CredentialsRejectedError),
        ("-2014", CredentialsRejectedError),
        ("-2008", CredentialsRejectedError),
        ("-1022", CredentialsRejectedError),
        ("-1002", PermissionMissingError),
        ("-5002", PermissionMissingError),
    ),
    "coinbase": (
        ("request timestamp expired", ClockOffError),
        ("insufficient_scope", PermissionMissingError),
        ("invalid_scope", PermissionMissingError),
        ("PERMISSION_DENIED", PermissionMissingError),
        ("Missing required scopes", PermissionMissingError),
        ("authentication_error", CredentialsRejectedError),
        ("invalid_token", CredentialsRejectedError),
        ("revoked_token", CredentialsRejectedError),
        ("expired_token", CredentialsRejectedError),
        ("Unauthorized", CredentialsRejectedError),
    ),
    "kraken": (
        ("EAPI:Invalid nonce", ClockOffError),
        ("EAPI:Invalid key", CredentialsRejectedError),
        ("EAPI:Invalid signature", CredentialsRejectedError),
        ("EGeneral:Permission denied", PermissionMissingError),
        ("EAPI:Feature disabled", PermissionMissingError),
        ("EAuth:", CredentialsRejectedError),
    ),
    "kucoin": (
        ("400002", ClockOffError),
        ("400001", CredentialsRejectedError),
        ("400003", CredentialsRejectedError),
        ("400004", CredentialsRejectedError),
        ("400005", CredentialsRejectedError),
        ("400006", CredentialsRejectedError),
        ("400007", PermissionMissingError),
        ("411100", CredentialsRejectedError),
    ),
}
#: ccxt's class names, from the narrow to the wide.
_BY_CLASS: Final[tuple[tuple[str, type[ProductError]], ...]] = (
    ("InvalidNonce", ClockOffError),
    ("PermissionDenied", PermissionMissingError),
    ("AccountNotEnabled", PermissionMissingError),
    ("AuthenticationError", CredentialsRejectedError),
)
_REFUSED: Final = 401
_NOT_THERE: Final = 404


def meaning_of(exchange: str, error: Exception, heard: Heard) -> ProductError:
    """Return our error for what ccxt raised: the venue's own words decide, then the class, then what is usual."""
    text = str(error)
    kind = next((kind for sign, kind in _BY_TEXT.get(exchange, ()) if _says(text, sign)), None)
    usual = usual_meaning(exchange=exchange, error=error, heard=heard)
    if kind is None and heard.status == _NOT_THERE:
        return VenueRefusedError()  # this venue, or this account of it, does not offer the list
    if kind is None and not isinstance(usual, VenueBusyError | BadAnswerError | VenueBlockedError):
        line = {one.__name__ for one in type(error).__mro__}
        kind = next((kind for name, kind in _BY_CLASS if name in line), None)
        if kind is None and heard.status == _REFUSED:
            kind = CredentialsRejectedError
    return usual if kind is None else kind()


def _says(text: str, sign: str) -> bool:
    """Tell whether an answer says this; a number counts only as a code, not as a part of a longer number."""
    if not sign.lstrip("-").isdecimal():
        return sign in text
    return f'"code":{sign}' in (bare := text.replace(" ", "")) or f'"code":"{sign}"' in bare
