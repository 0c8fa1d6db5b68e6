"""Connections as rows: what the database itself refuses."""

import pytest
from django.db import connection as database
from django.db import transaction
from django.db.utils import IntegrityError

from apps.accounts.tests.factories import make_user
from apps.core import clock
from apps.core.vault import VaultError
from apps.exchanges.actions.keeping import AccountConnectedError, KeyConnectedError
from apps.exchanges.actions.secrets import secrets_of
from apps.exchanges.models import Connection, KeyUse, SealedSecret, UsePurpose
from apps.exchanges.tests.factories import make_connection, make_secrets
from apps.portfolios.models import Account
from apps.portfolios.tests.factories import make_default, make_portfolio

pytestmark = pytest.mark.django_db


def test_a_key_opens_for_its_connection_and_the_opening_is_written_down() -> None:
    secrets = make_secrets()
    connection = make_connection(secrets=secrets)
    opened = secrets_of(connection=connection, purpose=UsePurpose.SYNC, now=clock.now())
    assert opened == secrets
    assert list(KeyUse.objects.values_list("purpose", "key_hint")) == [("sync", connection.key_hint)]
    for row in SealedSecret.objects.all():
        assert secrets[row.field].reveal().encode() not in bytes(row.sealed)


def test_secrets_swapped_between_rows_stay_shut() -> None:
    user = make_user()
    one, other = make_connection(user=user), make_connection(user=user, exchange="kraken")
    mine, theirs = (SealedSecret.objects.get(connection=held, field="api_secret") for held in (one, other))
    SealedSecret.objects.filter(pk=mine.pk).update(sealed=theirs.sealed)
    with pytest.raises(VaultError):
        secrets_of(connection=one, purpose=UsePurpose.SYNC, now=clock.now())
    SealedSecret.objects.filter(pk=theirs.pk).update(
        sealed=SealedSecret.objects.get(connection=other, field="api_key").sealed
    )
    with pytest.raises(VaultError):
        secrets_of(connection=other, purpose=UsePurpose.SYNC, now=clock.now())


def test_a_connection_given_to_somebody_else_in_the_database_stays_shut() -> None:
    connection = make_connection()
    Connection.objects.update(owner=make_user())
    connection.refresh_from_db()
    with pytest.raises(VaultError):
        secrets_of(connection=connection, purpose=UsePurpose.SYNC, now=clock.now())


@pytest.mark.parametrize("change", ["UPDATE exchanges_keyuse SET purpose = 'rights'", "DELETE FROM exchanges_keyuse"])
def test_the_log_of_a_key_is_only_added_to(change: str) -> None:
    connection = make_connection()
    secrets_of(connection=connection, purpose=UsePurpose.SYNC, now=clock.now())
    with pytest.raises(IntegrityError), transaction.atomic(), database.cursor() as cursor:
        cursor.execute(change)


def test_a_portfolio_takes_its_connections_along() -> None:
    portfolio = make_portfolio()
    connection = make_connection(portfolio=portfolio)
    secrets_of(connection=connection, purpose=UsePurpose.SYNC, now=clock.now())
    portfolio.delete()
    assert not Connection.objects.exists()
    assert not KeyUse.objects.exists()


def test_the_same_key_is_connected_once_by_a_person() -> None:
    user, secrets = make_user(), make_secrets()
    first = make_connection(user=user, secrets=secrets, label="Savings")
    with pytest.raises(KeyConnectedError, match="Savings"):
        make_connection(user=user, secrets=secrets)
    assert make_connection(secrets=secrets).pk != first.pk


def test_who_connects_again_goes_on_in_the_same_account() -> None:
    portfolio = make_default()
    first = make_connection(portfolio=portfolio, venue_account="77")
    with pytest.raises(AccountConnectedError):
        make_connection(portfolio=portfolio, venue_account="77")
    second = make_connection(portfolio=portfolio, venue_account="78")
    assert second.account_id != first.account_id
    Connection.objects.all().delete()
    assert make_connection(portfolio=portfolio, venue_account="78").account_id == second.account_id
    assert make_connection(portfolio=portfolio, venue_account="77").account_id == first.account_id
    assert Account.objects.filter(portfolio=portfolio).count() == 2


def test_the_two_worlds_never_share_an_account() -> None:
    portfolio = make_default()
    simulated = make_connection(portfolio=portfolio, is_simulated=True)
    Connection.objects.all().delete()
    assert make_connection(portfolio=portfolio, is_simulated=False).account_id != simulated.account_id
