"""How many wrong tries are allowed, and by what they are counted."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Budget:
    """At most `limit` tries in `window`, counted by `bucket`."""

    bucket: str
    limit: int
    window: timedelta


WRONG_TRIES = 10
WRONG_TRIES_WINDOW = timedelta(minutes=15)
REGISTRATIONS = 10
REGISTRATIONS_WINDOW = timedelta(hours=1)
CODE_REMEMBERED = timedelta(minutes=5)
RESETS_PER_ACCOUNT = 3
RESETS_PER_ADDRESS = 20


def bucket(kind: str, key: str) -> str:
    """Return the name under which tries are counted; it does not show by what."""
    return hashlib.sha256(f"{kind}\x00{key}".encode()).hexdigest()


def sign_in_budgets(*, email: str, network_address: str, device_id: str) -> tuple[Budget, ...]:
    """Return what a try to sign in is charged to.

    A device that signed in to this account before has a budget of its own, so that a stranger who
    uses up the account's or the address's tries does not keep the owner out.
    """
    if device_id:
        return (Budget(bucket("device", f"{email}\x00{device_id}"), WRONG_TRIES, WRONG_TRIES_WINDOW),)
    return (
        Budget(bucket("account", email), WRONG_TRIES, WRONG_TRIES_WINDOW),
        Budget(bucket("address", network_address), WRONG_TRIES, WRONG_TRIES_WINDOW),
    )


def second_factor_budgets(*, user_id: str) -> tuple[Budget, ...]:
    """Return what a try of a second factor is charged to; only who knows the password gets so far."""
    return (Budget(bucket("second factor", user_id), WRONG_TRIES, WRONG_TRIES_WINDOW),)


def spent_code_budget(*, user_id: str, code: str) -> Budget:
    """Return what one code of an authenticator app is spent from: it counts once for as long as it could be right."""
    return Budget(bucket("spent code", f"{user_id}\x00{code}"), 1, CODE_REMEMBERED)


def proof_budgets(*, user_id: str) -> tuple[Budget, ...]:
    """Return what a try to prove one's identity again is charged to; only who is signed in gets so far."""
    return (Budget(bucket("proof", user_id), WRONG_TRIES, WRONG_TRIES_WINDOW),)


def registration_budgets(*, network_address: str) -> tuple[Budget, ...]:
    """Return what a registration is charged to."""
    return (Budget(bucket("registration", network_address), REGISTRATIONS, REGISTRATIONS_WINDOW),)


def reset_budgets(*, email: str, network_address: str) -> tuple[Budget, ...]:
    """Return what asking for a new password is charged to; the same whether there is such an account or not."""
    return (
        Budget(bucket("reset account", email), RESETS_PER_ACCOUNT, WRONG_TRIES_WINDOW),
        Budget(bucket("reset address", network_address), RESETS_PER_ADDRESS, WRONG_TRIES_WINDOW),
    )
