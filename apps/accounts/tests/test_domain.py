"""Scopes, grants, secrets and budgets, in plain Python."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.accounts.domain.budgets import sign_in_budgets
from apps.accounts.domain.grants import Grant, Scope, covered, scopes_text
from apps.accounts.domain.mail import NOTICES, audit_action
from apps.accounts.domain.secrets import new_personal_secret, parse_personal_secret

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("scopes", "reads", "writes"), [(["read"], True, False), (["write"], True, True), (["admin"], True, True)]
)
def test_a_scope_covers_the_ones_before_it(scopes: list[str], reads: bool, writes: bool) -> None:
    grant = Grant(scopes=covered(scopes))
    assert grant.allows("GET") is reads
    assert all(grant.allows(method) is writes for method in ("POST", "PUT", "PATCH", "DELETE"))


def test_no_scope_allows_nothing() -> None:
    assert not Grant(scopes=covered([])).allows("GET")


@given(st.lists(st.sampled_from(list(Scope))))
def test_scopes_are_written_once_each_and_read_back(scopes: list[Scope]) -> None:
    text = scopes_text(scopes)
    assert set(text.split()) == {str(scope) for scope in scopes}
    assert scopes_text(Scope(word) for word in text.split()) == text


def test_a_sign_in_is_recent_for_ten_minutes() -> None:
    grant = Grant(authenticated_at=NOW)
    assert grant.is_recent(now=NOW + timedelta(minutes=9, seconds=59))
    assert not grant.is_recent(now=NOW + timedelta(minutes=10))
    assert not Grant().is_recent(now=NOW)


def test_a_personal_token_is_parsed_as_it_was_made() -> None:
    secret = new_personal_secret()
    assert parse_personal_secret(secret.text) == secret
    assert secret.secret not in repr(secret)
    assert secret.text.startswith("cs_pat_")


@given(st.text())
def test_other_texts_are_no_personal_tokens(text: str) -> None:
    assert parse_personal_secret(f"cs_pat_{text}") is None or len(text) > 50
    assert parse_personal_secret(text.removeprefix("cs_pat_")) is None


def test_a_known_device_has_a_budget_that_strangers_cannot_touch() -> None:
    stranger = {one.bucket for one in sign_in_budgets(email="a@x.org", network_address="10.0.0.1", device_id="")}
    owner = {one.bucket for one in sign_in_budgets(email="a@x.org", network_address="10.0.0.1", device_id="d1")}
    other = {one.bucket for one in sign_in_budgets(email="b@x.org", network_address="10.0.0.1", device_id="d1")}
    assert not stranger & owner
    assert not owner & other


def test_a_bucket_does_not_show_whose_it_is() -> None:
    for budget in sign_in_budgets(email="ann@example.com", network_address="10.0.0.1", device_id=""):
        assert "ann" not in budget.bucket
        assert len(budget.bucket) == 64


def test_every_notice_has_a_name_in_the_log() -> None:
    assert {audit_action(notice).partition(".")[0] for notice in NOTICES} == {
        "email",
        "password",
        "second_factor",
        "token",
    }
    assert str(uuid4()) not in NOTICES
