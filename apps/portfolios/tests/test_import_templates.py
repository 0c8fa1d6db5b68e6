"""Import templates: kept after a file was read, suggested for the next, changed, deleted; each person has their own."""

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from apps.accounts.models import User
from apps.accounts.tests.factories import Api, api_of, body_of, make_user
from apps.portfolios.domain.importing import Choices, ColumnMapping, filled, fit, heads_of, parse_mapping
from apps.portfolios.domain.importing.kept import BY_COLUMNS, BY_HEAD, HEAD_BYTES
from apps.portfolios.models import ImportTemplate, Transaction
from apps.portfolios.tests.factories import make_default
from apps.portfolios.tests.test_imports import upload

pytestmark = pytest.mark.django_db

HEAD = "Datum;Art;Coin;Menge;Gesamt\n"
BANK = "Konto 1\n\n" + HEAD + "03.01.2024 12:00;Kauf;BTC;1,5;60.000,00\n"
NEXT = HEAD + "04.01.2024 12:00;Kauf;ETH;2,5;6.000,00\n"
MAPPING = {
    "columns": {"ts": "Datum", "type": "Art", "asset": "Coin", "amount": "Menge", "value": "Gesamt"},
    "constants": {"kind": "reward"},
    "kinds": {"Kauf": "buy"},
    "numbers": "comma",
    "time_zone": "Europe/Berlin",
}


@pytest.fixture
def user() -> User:
    return make_user()


@pytest.fixture
def api(user: User) -> Api:
    return api_of(user)


@pytest.fixture
def path(user: User) -> str:
    return f"portfolios/{make_default(user=user).pk}"


@pytest.fixture
def client(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def sent(text: str) -> SimpleUploadedFile:
    return SimpleUploadedFile("bank.csv", text.encode())


def fitting(api: Api, text: str) -> list[str]:
    answer: Any = Client().post(
        "/api/v1/import-templates/fitting", {"file": sent(text)}, headers={"Authorization": f"Bearer {api.token}"}
    )
    return [row["name"] for row in answer.json()["results"]]


def test_how_a_file_was_read_is_kept_and_reads_the_next(api: Api, path: str) -> None:
    first = body_of(upload(api, path, BANK, mapping=json.dumps(MAPPING), account="Bank"))
    made = api.post("import-templates", {"name": " My  bank ", "import": first["id"]})
    row = body_of(made)
    assert (made.status_code, row["name"], row["format"], row["account"]) == (201, "My bank", "generic", "Bank")
    assert (row["head"], row["mapping"]["numbers"], row["used_at"]) == (HEAD.strip().lower().split(";"), "comma", None)
    assert (fitting(api, NEXT), fitting(api, BANK), fitting(api, "a;b\n1;2\n")) == (["My bank"], ["My bank"], [])
    assert fitting(api, HEAD.replace("Datum", "Nr;Datum")) == ["My bank"], "all columns that it names are there"
    found = body_of(upload(api, path, NEXT, template=row["id"]))
    assert (found["errors"], found["effect"], found["account"]) == ([], {"ETH": "2.5"}, "Bank")
    other = body_of(upload(api, path, NEXT, template=row["id"], account="Other"))
    assert other["account"] == "Other", "what is said goes before what is kept"
    api.post(f"{path}/imports/{found['id']}/commit", {})
    assert Transaction.objects.get().at.isoformat() == "2024-01-04T11:00:00+00:00"
    (listed,) = body_of(api.get("import-templates"))["results"]
    assert listed["used_at"] is not None


def test_templates_are_written_changed_and_deleted_by_their_owner(api: Api, path: str) -> None:
    said = {"name": "Bank", "mapping": MAPPING, "head": ["datum"]}
    one = f"import-templates/{body_of(api.post('import-templates', said))['id']}"
    assert body_of(api.post("import-templates", {**said, "name": "bank"}))["code"] == "template_name_taken"
    changed = body_of(api.patch(one, {"name": "My bank", "account": "Giro"}))
    assert (changed["name"], changed["account"], changed["mapping"]["kinds"]) == ("My bank", "Giro", {"kauf": "buy"})
    for wrong in ({"name": " "}, {"mapping": {"columns": {"ts": "x"}}}, {"format": "word"}, {"colour": "red"}):
        assert api.patch(one, wrong).status_code == 422, wrong
    other = api_of(make_user(email="other@example.com"))
    assert [other.get(one).status_code, other.patch(one, {}).status_code, other.delete(one).status_code] == [404] * 3
    assert body_of(other.get("import-templates"))["results"] == []
    mine = make_default(user=User.objects.get(email="other@example.com"))
    assert upload(other, f"portfolios/{mine.pk}", NEXT, template=one.split("/")[1]).status_code == 404
    assert api.delete(one).status_code == 204
    assert api.get(one).status_code == 404


def test_templates_are_bounded(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.portfolios.actions.import_templates.MOST_TEMPLATES", 1)
    assert api.post("import-templates", {"name": "a"}).status_code == 201
    assert body_of(api.post("import-templates", {"name": "b"}))["code"] == "too_many_templates"


def test_the_pages_keep_suggest_change_and_delete(client: Client, user: User, path: str) -> None:
    portfolio = make_default(user=user)
    assert "No template yet" in client.get(reverse("portfolios:import_templates")).text
    mapped = {f"column_{ours}": theirs for ours, theirs in MAPPING["columns"].items()}  # type: ignore[attr-defined]
    typed = {**mapped, "words": "Kauf = buy", "numbers": "comma", "time_zone": "Europe/Berlin", "account": "Bank"}
    read: Any = client.post(reverse("portfolios:imports"), {**typed, "file": sent(BANK)}, follow=True)
    assert "Keep these choices" in read.text
    keep = reverse("portfolios:keep_import", args=[portfolio.imports.get().pk])
    assert "Kept as My bank" in client.post(keep, {"name": "My bank"}, follow=True).text
    assert "Choose another name" in client.post(keep, {"name": "MY BANK"}, follow=True).text
    row = ImportTemplate.objects.get()

    looked: Any = client.post(reverse("portfolios:look_at_file"), {"file": sent(NEXT)})
    assert "your template My bank" in looked.text
    form = looked.context["form"]
    assert (form.initial["column_ts"], form.initial["applied"], form.initial["words"]) == (
        "Datum",
        str(row.pk),
        "kauf = buy",
    )
    assert "your template" not in client.post(reverse("portfolios:look_at_file"), {"file": sent("a,b\n")}).text
    none: Any = client.post(reverse("portfolios:look_at_file"), {"file": sent(NEXT), "template": ""})
    assert none.context["form"].filled_by is None

    refused: Any = client.post(reverse("portfolios:imports"), {"file": sent(NEXT)})
    assert (refused.status_code, refused.context["form"].filled_by) == (200, row), "without a script it is offered too"
    by_it: Any = client.post(reverse("portfolios:imports"), {"file": sent(NEXT), "template": str(row.pk)}, follow=True)
    assert (by_it.context["page"].row.effect, by_it.context["page"].row.account_name) == ({"ETH": "2.5"}, "Bank")
    shown = {**form.initial, "account": "", "file": sent(NEXT)}
    cleared: Any = client.post(reverse("portfolios:imports"), shown, follow=True)
    assert cleared.context["page"].row.account_name == "", "what is cleared in a filled form stays cleared"

    page = reverse("portfolios:import_template", args=[row.pk])
    whole = client.get(page).context["form"].initial
    wrong = client.post(page, {**whole, "time_zone": "Mars"})
    assert (wrong.status_code, "There is no time zone" in wrong.text) == (422, True)
    client.post(page, {**whole, "name": "Giro", "column_value": ""})
    row.refresh_from_db()
    assert (row.name, "value" in row.mapping["columns"], row.mapping["numbers"]) == ("Giro", False, "comma")
    assert "Giro" in client.get(reverse("portfolios:import_templates")).text
    other = Client()
    other.force_login(make_user(email="other@example.com"))
    delete = reverse("portfolios:delete_import_template", args=[row.pk])
    assert [other.get(page).status_code, other.post(delete).status_code, other.post(keep).status_code] == [404] * 3
    assert "is deleted" in client.post(delete, follow=True).text
    assert not ImportTemplate.objects.exists()


# --- By itself --------------------------------------------------------------------------------------------------------
def test_choices_are_filled_where_nothing_was_said() -> None:
    kept = Choices("kraken", "Bank", parse_mapping({**MAPPING, "dates": "dmy"}))
    assert filled(Choices(), kept) == kept
    said = Choices("generic", "Mine", ColumnMapping(columns={"ts": "a"}, time_zone="+01:00"))
    found = filled(said, kept)
    assert (found.format, found.account, found.mapping.columns) == ("generic", "Mine", {"ts": "a"})
    assert (found.mapping.time_zone, found.mapping.dates) == ("+01:00", kept.mapping.dates)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_the_beginning_of_a_file_is_enough_to_know_it(encoding: str) -> None:
    head = "Datum;Stück;Gesamt (UTC+99)\nDatum;Stück;Wert\n"
    text = head + '02.01.2024;"1\n2";3,5\n' * 9_000
    data = text.encode(encoding)
    assert len(data) > HEAD_BYTES
    heads = heads_of(data)
    mapping = ColumnMapping(columns={"ts": "DATUM", "amount": "Stück"})
    assert fit(heads, head=["datum", "stück", "wert"], choices=Choices()) == BY_HEAD
    assert fit(heads, head=["datum"], choices=Choices(mapping=mapping)) == BY_COLUMNS
    assert fit(heads, head=[], choices=Choices()) == 0
