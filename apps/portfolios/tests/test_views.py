"""The pages of the ledger: what they say, what typing books, what is refused and where, and what stays hidden."""

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from apps.accounts.models import Preferences, User
from apps.accounts.tests.factories import make_user
from apps.markets.tests.factories import make_instrument, make_price
from apps.portfolios.models import Portfolio, Transaction
from apps.portfolios.tests.factories import make_default, make_portfolio, post, raw_buy
from apps.portfolios.views.tax import FILES

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sent_tasks")]

DUST = "1.000000000000000001"
NEW = "portfolios:new_transaction"


@pytest.fixture
def person() -> User:
    """Somebody who keeps a ledger."""
    return make_user()


@pytest.fixture
def portfolio(person: User) -> Portfolio:
    """Return their default portfolio."""
    return make_default(user=person)


@pytest.fixture
def client(person: User) -> Client:
    """Return a browser in which they are signed in."""
    browser = Client()
    browser.force_login(person)
    return browser


def typed(**fields: str) -> dict[str, str]:
    """Return a purchase as somebody types it."""
    return {
        "template": "buy",
        "step": "post",
        "at": "2024-05-06T07:08",
        "asset": "btc",
        "amount": DUST,
        "value": "64000.50",
        "account": "Kraken",
        **fields,
    }


def hide_amounts(person: User) -> None:
    Preferences.objects.update_or_create(user=person, defaults={"private": True})


# --- The list -------------------------------------------------------------------------------------------------------
def test_an_empty_ledger_shows_the_next_step(client: Client) -> None:
    page = client.get(reverse("portfolios:transactions"))
    assert "Nothing has been booked yet" in page.text
    assert reverse(NEW) in page.text


def test_a_day_has_one_head_however_many_entries_it_has(client: Client, portfolio: Portfolio) -> None:
    hours = ("2024-01-02T01:00:00Z", "2024-01-02T23:00:00Z", "2024-01-03T00:30:00Z")
    post(portfolio, *[raw_buy(ts=one) for one in hours])
    text = client.get(reverse("portfolios:transactions")).text
    assert re.findall(r'class="day">\s*<td colspan="6">([^<]+)', text) == ["3 Jan 2024", "2 Jan 2024"]


def test_the_list_is_filtered_and_searched(client: Client, portfolio: Portfolio) -> None:
    post(portfolio, raw_buy(account="Kraken"), raw_buy(asset="ETH", account="Coinbase", external_id="TQ7X-1"))
    for query, shown in (({"words": "eth"}, ["ETH"]), ({"asset": "BTC"}, ["BTC"]), ({"words": "TQ7"}, ["ETH"]),
                         ({"words": "coinb"}, ["ETH"]), ({"type": "sell"}, []), ({"start": "2024-01-03"}, []),
                         ({"start": "nonsense", "before": "x.y"}, ["ETH", "BTC"])):  # fmt: skip
        page = client.get(reverse("portfolios:transactions"), query, headers={"HX-Request": "true"})
        assert [row.asset for row in page.context["page"].rows] == shown, query
        assert "<html" not in page.text


def test_pages_follow_each_other_both_ways_without_loss(client: Client, portfolio: Portfolio) -> None:
    post(portfolio, *[raw_buy(amount=str(number)) for number in range(1, 121)])
    seen, cursor = [], ""
    while True:
        page = client.get(reverse("portfolios:transactions"), {"before": cursor} if cursor else {}).context["page"]
        seen.append([row.pk for row in page.rows])
        if not page.older:
            break
        cursor = page.older
    assert [len(part) for part in seen] == [50, 50, 20]
    assert len({pk for part in seen for pk in part}) == 120
    back = client.get(reverse("portfolios:transactions"), {"after": page.newer}).context["page"]
    assert [row.pk for row in back.rows] == seen[1]


def test_hidden_amounts_are_nowhere_in_the_page(client: Client, person: User, portfolio: Portfolio) -> None:
    entry = post(portfolio, raw_buy(amount="12.3456789", price="777.77", fee="3.21", fee_asset="USD")).ids[0]
    hide_amounts(person)
    for address in (reverse("portfolios:transactions"), reverse("portfolios:transaction", args=[entry])):
        page = client.get(address).text
        assert "••••••" in page
        assert not re.search(r"12\.34|777\.77|9,60|3\.21", page)


# --- One of them ----------------------------------------------------------------------------------------------------
def test_a_transaction_tells_every_digit_and_its_trail(client: Client, portfolio: Portfolio) -> None:
    entry = post(portfolio, raw_buy(amount=DUST)).ids[0]
    alone = client.get(reverse("portfolios:transaction", args=[entry]), headers={"HX-Request": "true"})
    assert f"+{DUST}" in alone.text
    assert "<html" not in alone.text
    assert "Entered by hand" in alone.text


def test_a_reversal_keeps_the_row_and_says_who_and_why(client: Client, portfolio: Portfolio) -> None:
    entry = post(portfolio, raw_buy()).ids[0]
    address = reverse("portfolios:reverse_transaction", args=[entry])
    page = client.post(address, {"reason": "Booked twice"}, follow=True)
    assert "Booked twice" in page.text
    assert not Transaction.objects.filter(portfolio=portfolio).standing().exists()
    assert "Reversed already" not in page.text
    assert "reversed or replaced meanwhile" in client.post(address, follow=True).text


# --- Entering -------------------------------------------------------------------------------------------------------
def test_what_is_typed_is_booked_to_the_last_digit(client: Client, portfolio: Portfolio) -> None:
    page = client.post(reverse(NEW), typed(note="OTC"), follow=True)
    entry = Transaction.objects.get(portfolio=portfolio)
    assert (str(entry.amount), entry.asset, entry.account.name, entry.note) == (DUST, "BTC", "Kraken", "OTC")
    assert DUST in page.text


def test_times_are_typed_in_the_zone_of_the_reader(client: Client, person: User, portfolio: Portfolio) -> None:
    Preferences.objects.update_or_create(user=person, defaults={"time_zone": "Asia/Tokyo"})
    client.post(reverse(NEW), typed(at="2024-05-06T07:08"))
    assert Transaction.objects.get(portfolio=portfolio).at.isoformat() == "2024-05-05T22:08:00+00:00"


@pytest.mark.parametrize(
    ("wrong", "field", "words"),
    [
        ({"amount": "1,5"}, "amount", "Enter a number with a point"),
        ({"amount": "0"}, "amount", "above zero"),
        ({"amount": "0." + "1" * 31}, "amount", "never rounded"),
        ({"amount": ""}, "amount", "required"),
        ({"value": ""}, "value", "Enter the whole sum"),
        ({"price": "5"}, "price", "not both"),
        ({"at": "yesterday"}, "at", "Enter a date"),
        ({"at": "2199-01-01T00:00"}, "at", "future"),
        ({"asset": ""}, "asset", "required"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(
    client: Client, portfolio: Portfolio, wrong: dict[str, str], field: str, words: str
) -> None:
    answer = client.post(reverse(NEW), typed(**wrong))
    assert answer.status_code == 422
    assert words in str(answer.context["form"].errors[field])
    assert f'id="id_{field}-error"' in answer.text
    assert not Transaction.objects.filter(portfolio=portfolio).exists()


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        ({"template": "lost"}, {"type": "spend", "value": "0"}),
        ({"template": "income", "kind": "staking", "value": ""}, {"type": "income", "kind": "staking", "value": None}),
        ({"template": "fork", "value": "0"}, {"type": "income", "kind": "fork", "value": "0"}),
        ({"template": "deposit", "to_account": "Ledger"}, {"type": "transfer", "from_account": None}),
        ({"template": "split", "ratio": "10"}, {"type": "split", "ratio": "10"}),
        ({"template": "opening", "value": "10"}, {"type": "buy", "value": "10"}),
        (
            {"template": "trade", "out_asset": "ETH", "out_amount": "2", "in_asset": "SOL", "in_amount": "40"},
            {"type": "trade", "out_amount": "2", "in_amount": "40"},
        ),
    ],
)
def test_every_template_becomes_its_entry(
    client: Client, portfolio: Portfolio, fields: dict[str, str], kept: dict[str, Any]
) -> None:
    assert client.post(reverse(NEW), typed(**fields)).status_code == 302
    entry = Transaction.objects.get(portfolio=portfolio)
    for name, value in kept.items():
        found = getattr(entry, name)
        assert (found if found is None else str(found)) == value, name


def test_choosing_what_happened_changes_the_fields_and_keeps_what_fits(client: Client, portfolio: Portfolio) -> None:
    answer = client.post(reverse(NEW), typed(template="trade", step="fields"), headers={"HX-Request": "true"})
    assert "<html" not in answer.text
    assert 'name="out_asset"' in answer.text
    assert 'name="asset"' not in answer.text
    assert 'value="64000.50"' in answer.text


def test_a_correction_stands_in_the_place_of_the_first(client: Client, portfolio: Portfolio) -> None:
    entry = post(portfolio, raw_buy(amount="2", external_id="A-1", account="Kraken")).ids[0]
    address = reverse("portfolios:correct_transaction", args=[entry])
    assert 'value="2"' in client.get(address).text
    page = client.post(address, typed(reason="Fee counted twice"), follow=True)
    standing = Transaction.objects.filter(portfolio=portfolio).standing().get()
    assert (str(standing.amount), standing.replaces_id, standing.external_id) == (DUST, entry, "A-1")
    assert "Fee counted twice" in page.text


# --- More than one portfolio ----------------------------------------------------------------------------------------
def test_another_portfolio_is_chosen_for_all_pages(client: Client, person: User, portfolio: Portfolio) -> None:
    other = make_portfolio(user=person, name="Long")
    post(other, raw_buy(asset="SOL"))
    client.post(reverse("portfolios:choose"), {"portfolio": str(other.pk)})
    assert client.get(reverse("portfolios:transactions")).context["portfolio"] == other
    stranger = make_portfolio(name="Theirs")
    assert client.post(reverse("portfolios:choose"), {"portfolio": str(stranger.pk)}).status_code == 404


# --- What it is worth -----------------------------------------------------------------------------------------------
PAGES = ("overview", "performance", "history", "tax")


def test_the_portfolio_shows_value_cost_and_where_it_lies(client: Client, portfolio: Portfolio) -> None:
    make_instrument("kraken:BTC/USD")
    make_price("kraken:BTC/USD", price="50000")
    post(portfolio, raw_buy(amount="2", account="Kraken"), raw_buy(asset="XYZ", amount="5", price="3"))
    page = client.get(reverse("portfolios:overview"))
    shown = page.context["page"]
    assert [(row.asset, row.value) for row in shown.rows] == [("BTC", 100_000), ("XYZ", None)]
    assert (shown.total, shown.cost, shown.unrealised, shown.cost_unpriced) == (100_000, 80_000, 20_000, 15)
    assert [(part.name, part.value) for part in shown.by_account] == [("Kraken", 100_000)]
    for words in ("$100,000", "+$20,000.00", "1 without a price", "Kraken", 'data-path="kraken:BTC/USD"'):
        assert words in page.text, words


def test_hidden_amounts_are_nowhere_in_the_figures(client: Client, person: User, portfolio: Portfolio) -> None:
    make_instrument("kraken:BTC/USD")
    make_price("kraken:BTC/USD", price="50000")
    post(portfolio, raw_buy(amount="7.7654321", account="Kraken"))
    hide_amounts(person)
    for name in PAGES:
        page = client.get(reverse(f"portfolios:{name}"))
        assert page.status_code == 200, name
        assert not re.search(r"7\.76|388[,.]?27|310[,.]?61|77[,.]?654", page.text), name
    page = client.get(reverse("portfolios:holding", args=["BTC"]))
    assert "50,000" in page.text  # the market's price is nobody's secret
    assert not re.search(r"7\.76|388[,.]?27|310[,.]?61|77[,.]?654", page.text)


def test_an_asset_shows_lots_and_what_was_sold_of_them(client: Client, portfolio: Portfolio) -> None:
    post(portfolio, raw_buy(amount="2"), raw_buy(type="sell", amount="0.5", price="60000", ts="2024-06-01T00:00:00Z"))
    page = client.get(reverse("portfolios:holding", args=["BTC"])).context["page"]
    assert [(str(lot.amount), lot.cost) for lot in page.lots] == [("1.5", 60_000)]
    assert [(row.gain, row.term, row.parts) for row in page.disposals] == [(10_000, "short", 1)]
    for unknown in ("NONE", "%00"):
        assert client.get(f"/portfolio/holdings/{unknown}/").status_code == 404


def test_a_tax_year_sums_up_and_goes_into_files(client: Client, person: User, portfolio: Portfolio) -> None:
    post(
        portfolio,
        raw_buy(amount="2", account="=1+1"),
        raw_buy(type="sell", amount="0.5", price="60000", ts="2024-06-01T00:00:00Z", account="=1+1"),
        raw_buy(type="income", amount="0.1", price="50000", kind="staking", ts="2024-07-01T00:00:00Z"),
        raw_buy(type="sell", asset="ETH", amount="1", price="3000", ts="2024-08-01T00:00:00Z"),
    )
    page = client.get(reverse("portfolios:tax_year", args=[2024]))
    shown = page.context["page"]
    assert (shown.realised, shown.short, shown.income_total, shown.years) == (13_000, 13_000, 5_000, (2024,))
    assert "1 disposal has no purchase" in page.text
    files = {name: client.get(reverse("portfolios:tax_file", args=[2024, name])).text for name in FILES}
    assert "2024-06-01,sell,BTC,'=1+1,0.5,30000,20000,10000,short,0," in files["disposals"]
    assert "Short,0.5 BTC,01/02/2024,06/01/2024,30000.00,20000.00,,,10000.00" in files["8949"]
    assert "2024-07-01,staking,BTC,default,0.1,5000," in files["income"]
    lab = client.get(reverse("portfolios:tax_lab", args=[2024])).context["rows"]
    assert {(row.policy.method.value, row.is_own) for row in lab} >= {("fifo", True), ("lifo", False), ("acb", False)}
    assert next(row.realised for row in lab if row.is_own) == 13_000
    hide_amounts(person)
    assert client.get(reverse("portfolios:tax_file", args=[2024, "income"])).status_code == 302
    assert client.get(reverse("portfolios:tax_year", args=[10**12])).status_code == 404


# --- Imports --------------------------------------------------------------------------------------------------------
GENERIC = """ts,type,asset,amount,value,account
2024-01-02T12:00:00Z,buy,BTC,1.000000000000000001,40000,Kraken
2024-01-03T12:00:00Z,buy,BTC,one,40000,Kraken
2024-01-04T12:00:00Z,steal,BTC,1,40000,Kraken
2024-01-05T12:00:00Z,sell,BTC,0.25,15000,Kraken
,buy,BTC,1,40000,Kraken
"""
FOREIGN = """Zeit;Art;Coin;Menge;Betrag
02.01.2024 12:00;Kauf;ETH;1,5;3000,00
"""


def upload(client: Client, text: str, **fields: str) -> Any:
    file = SimpleUploadedFile("my.csv", text.encode(), content_type="text/csv")
    return client.post(reverse("portfolios:imports"), {"file": file, **fields}, follow=True)


def test_a_file_is_shown_with_its_bad_lines_before_it_is_booked_and_undone(
    client: Client, portfolio: Portfolio
) -> None:
    page = upload(client, GENERIC)
    shown = page.context["page"]
    assert (shown.row.rows, shown.row.new, [bad.line for bad in shown.errors]) == (5, 2, [3, 4, 6])
    assert [(line.asset, str(line.after)) for line in shown.lines] == [("BTC", "0.750000000000000001")]
    for words in ("Book 2, leave 3 out", "my.csv", "&quot;steal&quot;"):
        assert words in page.text, words
    standing = Transaction.objects.filter(portfolio=portfolio).standing()
    assert not standing.exists()
    address = reverse("portfolios:commit_import", args=[shown.row.pk])
    assert "commit with skip_errors" in client.post(address, follow=True).text
    assert "2 transactions are booked" in client.post(address, {"skip_errors": "1"}, follow=True).text
    assert str(standing.order_by("at").first().amount) == DUST  # type: ignore[union-attr]
    again = upload(client, GENERIC).context["page"]
    assert (again.row.new, again.row.duplicates) == (0, 2)
    undone = client.post(reverse("portfolios:undo_import", args=[shown.row.pk]), {"reason": "Wrong"}, follow=True)
    assert "nothing of it counts" in undone.text
    assert not standing.exists()


def test_columns_of_an_unknown_file_are_named_by_hand(client: Client, portfolio: Portfolio) -> None:
    refused = upload(client, FOREIGN)
    assert refused.status_code == 422
    form = refused.context["form"]
    assert [choice for choice, _name in form.fields["column_ts"].widget.choices][1:] == [
        "Zeit", "Art", "Coin", "Menge", "Betrag",
    ]  # fmt: skip
    named = {"ts": "Zeit", "type": "Art", "asset": "Coin", "amount": "Menge", "value": "Betrag"}
    fields = {f"column_{ours}": theirs for ours, theirs in named.items()}
    page = upload(client, FOREIGN, words="Kauf = buy", **fields).context["page"]
    assert (page.row.new, page.row.effect) == (1, {"ETH": "1.5"})
    broken = upload(client, FOREIGN, words="Kauf", **fields)
    assert "Write each word and what it means" in broken.text


def test_a_refused_file_says_why_beside_the_form(client: Client, portfolio: Portfolio) -> None:
    answer = client.post(reverse("portfolios:imports"), {}, headers={"HX-Request": "true"})
    assert "<html" not in answer.text
    assert "required" in answer.text
    assert upload(client, "\x00\x01").status_code == 422
    good = client.post(
        reverse("portfolios:imports"),
        {"file": SimpleUploadedFile("my.csv", GENERIC.encode())},
        headers={"HX-Request": "true"},
    )
    assert good["HX-Redirect"].startswith("/imports/")


# --- Rules ----------------------------------------------------------------------------------------------------------
def test_other_rules_show_what_they_change_before_they_are_saved(client: Client, portfolio: Portfolio) -> None:
    post(
        portfolio,
        raw_buy(amount="1", price="10000", ts="2022-01-02T00:00:00Z"),
        raw_buy(amount="1", price="40000", ts="2023-01-02T00:00:00Z"),
        raw_buy(type="sell", amount="1", price="50000", ts="2024-01-02T00:00:00Z"),
    )
    address = reverse("portfolios:settings")
    rules = {**client.get(address).context["form"].initial, "superficial_window_days": "", "method": "lifo"}
    rules = {name: value for name, value in rules.items() if name not in {"alias", "hifo_excl_fee"}}
    page = client.post(address, rules, headers={"HX-Request": "true"})
    assert [(year.year, year.before, year.after) for year in page.context["found"].years] == [(2024, 40_000, 10_000)]
    assert client.get(address).context["form"].initial["method"] == "fifo"
    saved = client.post(address, {**rules, "step": "save"}, follow=True)
    assert "The rules are saved" in saved.text
    assert client.get(reverse("portfolios:tax_year", args=[2024])).context["page"].realised == 10_000
    refused = client.post(address, {**rules, "method": "uk_s104", "scope": "per_account"})
    assert refused.status_code == 422
    assert "Section 104 pools span all accounts" in refused.text


def test_a_portfolio_is_made_named_and_deleted_by_its_name(client: Client, portfolio: Portfolio) -> None:
    client.post(reverse("portfolios:create_portfolio"), {"name": "Savings", "currency": "eur"})
    made = client.get(reverse("portfolios:settings")).context["portfolio"]
    assert (made.name, made.currency, made.is_default) == ("Savings", "EUR", False)
    client.post(reverse("portfolios:rename_portfolio"), {"name": "Rainy days"})
    client.post(reverse("portfolios:delete_portfolio"), {"name": "Savings"})
    assert Portfolio.objects.filter(name="Rainy days").exists()
    client.post(reverse("portfolios:delete_portfolio"), {"name": "Rainy days"})
    assert not Portfolio.objects.filter(name="Rainy days").exists()


# --- What is missing ------------------------------------------------------------------------------------------------
def test_everything_missing_is_named_with_what_mends_it(client: Client, portfolio: Portfolio) -> None:
    assert "Nothing to compare yet" in client.get(reverse("portfolios:reconciliation")).text
    post(
        portfolio,
        raw_buy(type="sell", asset="SOL", amount="3", account="Kraken"),
        raw_buy(amount="2", account="Kraken"),
        {"type": "transfer", "ts": "2024-03-01T00:00:00Z", "asset": "BTC", "amount": "1",
         "from_account": "Kraken", "to_account": "outside"},
    )  # fmt: skip
    page = client.get(reverse("portfolios:reconciliation"))
    shown = page.context["page"]
    assert [(one.asset, one.missing) for one in shown.purchases] == [("SOL", 3)]
    assert [leg.entry.asset for leg in shown.legs] == ["BTC"]
    assert "what=missing&amp;tx=" in page.text
    filled = client.get(reverse(NEW), {"template": "opening", "asset": "SOL", "amount": "3"}).context["form"]
    assert (filled.way.code, filled.initial["asset"], filled.initial["amount"]) == ("opening", "SOL", "3")


def test_two_sides_of_a_transfer_are_put_together_and_apart(client: Client, portfolio: Portfolio) -> None:
    left = {"type": "transfer", "asset": "BTC", "amount": "1", "from_account": "Kraken", "to_account": "outside"}
    came = {"type": "transfer", "asset": "BTC", "amount": "0.97", "from_account": "outside", "to_account": "Ledger"}
    other = {**left, "asset": "ETH", "ts": "2024-03-05T00:00:00Z"}
    post(portfolio, {**left, "ts": "2024-03-01T00:00:00Z"}, {**came, "ts": "2024-03-01T09:00:00Z"}, other)
    page = client.get(reverse("portfolios:transfers"))
    (pair,) = page.context["page"].pairs
    assert (pair.out.account.name, pair.arrived[0].account.name, str(pair.lost)) == ("Kraken", "Ledger", "0.03")
    assert [one.asset for one in page.context["page"].waiting] == ["ETH"]
    wrong = {"out": pair.out.pk, "arrived": str(page.context["page"].waiting[0].pk)}
    assert "Choose coins that came into" in client.post(reverse("portfolios:match"), wrong, follow=True).text
    same = {"out": pair.out.pk, "arrived": str(pair.arrived[0].pk)}
    done = client.post(reverse("portfolios:match"), same, follow=True).context["page"]
    assert ([one.match.out.pk for one in done.matched], done.pairs) == ([pair.out.pk], ())
    apart = client.post(reverse("portfolios:unmatch"), {"out": pair.out.pk}, follow=True).context["page"]
    assert (apart.matched, apart.pairs, len(apart.waiting)) == ((), (), 3)
    assert client.post(reverse("portfolios:match"), {"out": "nonsense"}).status_code == 404


def test_a_waiting_transfer_is_told_anew_as_what_it_was(client: Client, portfolio: Portfolio) -> None:
    left = {"type": "transfer", "asset": "BTC", "amount": "1", "from_account": "Kraken", "to_account": "outside"}
    entry = post(portfolio, {**left, "ts": "2024-03-01T00:00:00Z"}).ids[0]
    form = client.get(reverse("portfolios:correct_transaction", args=[entry]), {"template": "spend"}).context["form"]
    assert (form.way.code, form.initial["amount"]) == ("spend", "1")
