"""Each venue against its simulator on real sockets: everything is read, and its sum is the truth to the last digit."""

from collections.abc import Iterable
from decimal import Decimal

import pytest

from apps.core import clock
from apps.exchanges.domain.normalize import held, normalize
from apps.exchanges.domain.reading import StreamKey
from apps.exchanges.gateways import Session, venue
from apps.exchanges.tests.simulated import Simulated, milliseconds, rows_of
from apps.portfolios.domain.drafts import EntryDraft, as_entry, checked_draft
from apps.portfolios.domain.movements import effect

pytestmark = pytest.mark.django_db

VENUES = ("binance",)


def streams_of(session: Session, *, hints: Iterable[str] = ()) -> list[StreamKey]:
    """Return all streams, the swept ones too."""
    return list(dict.fromkeys((*session.streams(hints=tuple(hints)), *session.sweep())))


def sums_of(drafts: Iterable[EntryDraft]) -> dict[str, Decimal]:
    """Return what these drafts add up to in the account."""
    return effect([as_entry(checked_draft(draft)) for draft in drafts], money="USD")


@pytest.mark.parametrize("exchange", VENUES)
@pytest.mark.parametrize("label", ["main", "empty"])
def test_what_is_read_sums_up_to_the_truth(simulated: Simulated, exchange: str, label: str) -> None:
    with venue(exchange).lend(secrets=simulated.secrets(exchange, label), now=clock.now()) as session:
        until = milliseconds()
        rows = [row for key in streams_of(session) for row in rows_of(session, key, until_ms=until)]
        balances = held(exchange=exchange, balances=session.balances())
    truth = simulated.truth(exchange, label)
    told = normalize(exchange=exchange, rows=rows, account="Home", currency="USD")
    assert told.problems == ()
    assert balances == truth["balances"]
    assert sums_of(told.drafts) == truth["balances"]
