"""Posting: exact, once per external id, together or named as refused; and the database keeps what was told."""

import threading
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from apps.accounts.tests.factories import make_user
from apps.core import clock
from apps.portfolios import actions
from apps.portfolios.domain.drafts import EntryDraft
from apps.portfolios.domain.transactions import EntryType
from apps.portfolios.models import Account, Batch, BatchKind, Portfolio, Transaction
from apps.portfolios.tests.factories import make_default, make_draft, make_portfolio, post, raw_buy

pytestmark = pytest.mark.django_db

TINY = "1.000000000000000001"


def test_an_entry_comes_out_as_it_went_in() -> None:
    portfolio = make_portfolio()
    done = post(portfolio, raw_buy(id="venue-1", amount=TINY, price="0.000000000000000000000000000001"))
    assert (done.posted, done.duplicates, done.errors) == (1, 0, ())
    row = Transaction.objects.get()
    assert (row.amount, row.price) == (Decimal(TINY), Decimal("1E-30"))
    assert (row.external_id, row.account.name, row.batch) == ("venue-1", "default", done.batch)
    portfolio.refresh_from_db()
    assert portfolio.version == 1


def test_a_repeat_posts_nothing_and_true_twins_stay() -> None:
    portfolio = make_portfolio()
    rows = [raw_buy(id="a"), raw_buy(id="b"), raw_buy(id="a"), raw_buy(), raw_buy()]
    first = post(portfolio, *rows)
    assert (first.posted, first.duplicates) == (4, 1)
    again = post(portfolio, raw_buy(id="a", note="Later", price=None, value="40000"), raw_buy(id="b", fee="0"))
    assert (again.posted, again.duplicates, again.batch, again.errors) == (0, 2, None, ())
    other = post(portfolio, raw_buy(id="a", account="Kraken"))
    assert other.posted == 1
    assert Transaction.objects.count() == 5
    portfolio.refresh_from_db()
    assert portfolio.version == 2


def test_a_known_id_that_tells_something_else_is_said_and_changes_nothing() -> None:
    portfolio = make_portfolio()
    (told,) = post(portfolio, raw_buy(id="a")).ids
    moved = {"ts": 1_700_000_000_000, "type": "transfer", "asset": "BTC", "amount": "1", "id": "w"}
    post(portfolio, {**moved, "from_account": "default", "to_account": "Cold"})
    again = post(
        portfolio,
        raw_buy(id="a", amount="2"),
        raw_buy(id="new"),
        raw_buy(id="new", asset="ETH"),
        {**moved, "from_account": "default", "to_account": "outside"},
    )
    assert (again.posted, again.duplicates) == (1, 0)
    assert [(one.index, one.code, one.field) for one in again.errors] == [
        (0, "content_differs", "external_id"),
        (2, "content_differs", "external_id"),
        (3, "content_differs", "external_id"),
    ]
    assert "booked is amount 1, value 40000; told is amount 2, value 80000" in again.errors[0].message
    assert "asset BTC; told is asset ETH" in again.errors[1].message
    assert "to_account Cold; told is to_account outside" in again.errors[2].message
    assert Transaction.objects.get(pk=told).amount == 1


def test_what_a_person_corrected_may_be_told_again_as_it_was_or_is() -> None:
    user = make_user()
    portfolio = make_default(user=user)
    done = post(portfolio, raw_buy(id="a"), kind=BatchKind.IMPORT)
    actions.replace_transaction(
        user=user, transaction_id=done.ids[0], draft=make_draft(id="a", amount="3"), now=clock.now()
    )
    for amount in ("1", "3"):
        assert post(portfolio, raw_buy(id="a", amount=amount), kind=BatchKind.IMPORT).duplicates == 1
    assert [one.code for one in post(portfolio, raw_buy(id="a", amount="2")).errors] == ["content_differs"]
    assert done.batch is not None
    actions.undo_batch(user=user, batch_id=done.batch.pk, now=clock.now())
    assert post(portfolio, raw_buy(id="a"), kind=BatchKind.IMPORT).posted == 1


def test_a_bad_entry_does_not_hide_the_good_ones() -> None:
    portfolio = make_portfolio()
    future = EntryDraft(at_us=10**17, type=EntryType.BUY, source="test", asset="BTC", amount=Decimal(1))
    unnamed = EntryDraft(at_us=0, type=EntryType.BUY, source="test", amount=Decimal(1))
    long = make_draft()
    drafts = [future, long, unnamed]
    done = actions.post_entries(portfolio=portfolio, drafts=drafts, source="test", by=None, now=clock.now())
    assert done.posted == 1
    assert [(one.index, one.code, one.field) for one in done.errors] == [
        (0, "ts_in_the_future", "ts"),
        (2, "field_missing", "asset"),
    ]


def test_accounts_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.portfolios.actions.posting.MOST_ACCOUNTS", 1)
    done = post(make_portfolio(), raw_buy(account="One"), raw_buy(account="Two"))
    assert (done.posted, [one.code for one in done.errors]) == (1, ["too_many_accounts"])


def test_a_coin_from_outside_is_the_record_of_who_got_it() -> None:
    portfolio = make_portfolio()
    moved = {"type": "transfer", "asset": "BTC", "amount": "1", "ts": 1_700_000_000_000, "id": "w1"}
    post(
        portfolio,
        {**moved, "from_account": "outside", "to_account": "Kraken"},
        {**moved, "from_account": "outside", "to_account": "Binance"},
        {**moved, "from_account": "Kraken", "to_account": "outside", "id": "w2"},
    )
    rows = Transaction.objects.order_by("place").select_related("account", "from_account", "to_account")
    assert [(row.account.name, row.from_account and row.from_account.name) for row in rows] == [
        ("Kraken", None),
        ("Binance", None),
        ("Kraken", "Kraken"),
    ]
    assert not Account.objects.filter(name="outside").exists()


def test_the_database_refuses_to_change_the_ledger() -> None:
    portfolio = make_portfolio()
    done = post(portfolio, raw_buy(), raw_buy())
    kept, marked = Transaction.objects.order_by("place")
    for change in ({"amount": 2}, {"reversed_in": done.batch, "note": "x"}, {"external_id": "x"}):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            Transaction.objects.filter(pk=kept.pk).update(**change)
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        Transaction.objects.filter(pk=kept.pk).delete()
    assert Transaction.objects.filter(pk=marked.pk).update(reversed_in=done.batch) == 1
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        Transaction.objects.filter(pk=marked.pk).update(reversed_in=None)


def test_a_person_who_leaves_takes_the_ledger_along() -> None:
    user = make_user()
    post(make_default(user=user), raw_buy(), raw_buy(account="Other"))
    kept = make_portfolio()
    post(kept, raw_buy())
    user.delete()
    assert Transaction.objects.get().portfolio_id == kept.pk
    assert list(Batch.objects.values_list("portfolio", flat=True)) == [kept.pk]
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_what_a_person_took_out_a_machine_does_not_bring_back() -> None:
    portfolio = make_portfolio()
    done = post(portfolio, raw_buy(id="a"), kind=BatchKind.SYNC)
    correction = Batch.objects.create(portfolio=portfolio, kind=BatchKind.CORRECTION, source="test")
    Transaction.objects.filter(pk__in=done.ids).update(reversed_in=correction)
    assert post(portfolio, raw_buy(id="a"), kind=BatchKind.SYNC).duplicates == 1
    assert post(portfolio, raw_buy(id="a"), kind=BatchKind.MANUAL).posted == 1


@pytest.mark.django_db(transaction=True)
def test_everyone_has_one_default_however_many_ask() -> None:
    user, made = make_user(), []

    def ask() -> None:
        made.append(actions.ensure_default_portfolio(user=user, now=clock.now()).pk)
        connection.close()

    threads = [threading.Thread(target=ask) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 4
    assert set(made) == {Portfolio.objects.get(owner=user).pk}


def test_many_entries_are_stored_as_few_are() -> None:
    portfolio = make_portfolio()
    rows = [raw_buy(id=str(place), amount=TINY, note="=x\ty\\n", fee="0.5") for place in range(250)]
    assert post(portfolio, *rows, raw_buy(id="0")).posted == 250
    few = make_portfolio()
    post(few, rows[0])
    names = [field.attname for field in Transaction._meta.concrete_fields]
    own = {"id", "place", "batch_id", "portfolio_id", "account_id", "created_at", "external_id"}
    same = [name for name in names if name not in own]
    (one,) = Transaction.objects.filter(portfolio=few).values_list(*same)
    assert set(Transaction.objects.filter(portfolio=portfolio).values_list(*same)) == {one}
    assert Transaction.objects.filter(portfolio=portfolio).values("external_id").distinct().count() == 250
