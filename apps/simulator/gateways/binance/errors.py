"""Binance's ways of saying no: HTTP status, negative code, message."""

from apps.simulator.gateways.venue import RefusedError

LONGEST_WINDOW_MS = 90 * 86_400_000


def refuse(status: int, code: int, message: str) -> RefusedError:
    """Return a refusal in Binance's words."""
    return RefusedError(status, {"code": code, "msg": message})


def bad_key() -> RefusedError:
    """Unknown, revoked or powerless key."""
    return refuse(401, -2015, "Invalid API-key, IP, or permissions for action.")


def no_key() -> RefusedError:
    """No key, or not the shape of one."""
    return refuse(401, -2014, "API-key format invalid.")


def bad_signature() -> RefusedError:
    """The signature does not fit the payload."""
    return refuse(400, -1022, "Signature for this request is not valid.")


def too_late() -> RefusedError:
    """The time stamp is older than recvWindow."""
    return refuse(400, -1021, "Timestamp for this request is outside of the recvWindow.")


def too_early() -> RefusedError:
    """The time stamp is in the future."""
    return refuse(400, -1021, "Timestamp for this request was 1000ms ahead of the server's time.")


def missing(name: str) -> RefusedError:
    """A parameter is missing or not of its kind."""
    return refuse(400, -1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def illegal(name: str) -> RefusedError:
    """A parameter holds what it cannot hold."""
    return refuse(400, -1100, f"Illegal characters found in parameter '{name}'; legal range is '^[0-9]{{1,20}}$'.")


def bad_symbol() -> RefusedError:
    """No such market."""
    return refuse(400, -1121, "Invalid symbol.")


def bad_interval() -> RefusedError:
    """No such candle length."""
    return refuse(400, -1120, "Invalid interval.")


def over_a_day() -> RefusedError:
    """Trades are given for a day at most."""
    return refuse(400, -1127, "More than 24 hours between startTime and endTime.")


def over_ninety_days() -> RefusedError:
    """Deposits and withdrawals are given for ninety days at most."""
    return refuse(400, -4047, "Time interval must be within 0-90 days")
