"""Hashing, the breach list, signatures and marks of devices."""

import hashlib
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.hashers import check_password, identify_hasher, make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from pytest_django import Settings

from apps.accounts.gateways import device_tokens, hashing, signed_tokens
from apps.accounts.gateways.breach_list import is_listed
from apps.core import clock
from apps.core.ids import uuid7

WORDS = [f"password{number}" for number in range(500)]


def _hash(word: str) -> str:
    return hashlib.sha1(word.encode(), usedforsecurity=False).hexdigest().upper()


@pytest.fixture
def breach_list(tmp_path: Path) -> Path:
    path = tmp_path / "breached.txt"
    path.write_text("".join(f"{line}:7\n" for line in sorted(map(_hash, WORDS))))
    return path


def test_every_listed_password_is_found_and_no_other(breach_list: Path) -> None:
    assert all(is_listed(word, path=breach_list) for word in WORDS)
    assert not any(is_listed(f"other{word}", path=breach_list) for word in WORDS)


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("length", [10, 20, 40])
def test_the_list_may_hold_the_first_characters_only(tmp_path: Path, ending: str, length: int) -> None:
    path = tmp_path / "prefixes.txt"
    path.write_bytes("".join(f"{line[:length].lower()}{ending}" for line in sorted(map(_hash, WORDS))).encode())
    assert all(is_listed(word, path=path) for word in WORDS)
    assert not any(is_listed(f"other{word}", path=path) for word in WORDS)


@pytest.mark.parametrize("text", ["", "\n", "no hash at all\n"])
def test_a_list_without_hashes_refuses_nobody(tmp_path: Path, text: str) -> None:
    path = tmp_path / "empty.txt"
    path.write_text(text)
    assert not is_listed("password1", path=path)


def test_the_list_is_asked_when_a_password_is_chosen(breach_list: Path, settings: Settings) -> None:
    breach_list.write_text(_hash("a long and fine password") + "\n")
    validate_password("a long and fine password")
    settings.PASSWORD_BREACH_LIST = str(breach_list)
    with pytest.raises(ValidationError) as refused:
        validate_password("a long and fine password")
    assert [error.code for error in refused.value.error_list] == ["password_breached"]


@pytest.mark.parametrize("password", ["short1", "password123", "1234567890"])
def test_short_and_usual_passwords_are_refused(password: str) -> None:
    with pytest.raises(ValidationError):
        validate_password(password)


@pytest.mark.parametrize("password", ["correct horse battery", "onlylowercase", "äöü äöü äöü äöü"])
def test_no_kind_of_character_is_asked_for(password: str) -> None:
    validate_password(password)


@pytest.fixture
def argon2(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["apps.accounts.gateways.hashing.CappedArgon2PasswordHasher"]


@pytest.mark.usefixtures("argon2")
def test_passwords_are_hashed_with_argon2id() -> None:
    stored = make_password("correct horse battery")
    assert stored.startswith("argon2$argon2id$v=19$m=32768,t=3,p=1$")
    assert check_password("correct horse battery", stored)
    assert not check_password("wrong", stored)
    assert not identify_hasher(stored).must_update(stored)


@pytest.mark.usefixtures("argon2")
def test_hashing_waits_for_a_place_and_then_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashing, "_places", threading.BoundedSemaphore(1))
    monkeypatch.setattr(hashing, "WAIT_SECONDS", 0.01)
    with hashing._place(), pytest.raises(hashing.TooBusyToHashError) as refused:
        make_password("correct horse battery")
    assert refused.value.retry_after == 5
    make_password("correct horse battery")


def test_a_device_is_known_for_the_accounts_it_signed_in_to() -> None:
    token = device_tokens.mark("", email="ann@example.com")
    known = device_tokens.device_id_for(token, email="ann@example.com")
    assert known
    assert device_tokens.device_id_for(token, email="bob@example.com") == ""
    both = device_tokens.mark(token, email="bob@example.com")
    assert device_tokens.device_id_for(both, email="ann@example.com") == known
    assert device_tokens.device_id_for(both, email="bob@example.com")
    assert device_tokens.mark(both, email="ann@example.com") != ""
    assert device_tokens.device_id_for(token[:-2] + "xx", email="ann@example.com") == ""


def test_a_device_keeps_five_accounts() -> None:
    token = ""
    for number in range(6):
        token = device_tokens.mark(token, email=f"person{number}@example.com")
    assert device_tokens.device_id_for(token, email="person0@example.com") == ""
    assert device_tokens.device_id_for(token, email="person5@example.com")


def test_a_token_says_what_was_signed() -> None:
    now, user_id, family_id, token_id = clock.now(), uuid7(), uuid7(), uuid7()
    text = signed_tokens.sign(
        kind=signed_tokens.ACCESS,
        user_id=user_id,
        family_id=family_id,
        token_id=token_id,
        now=now,
        expires_at=now + timedelta(minutes=1),
    )
    claims = signed_tokens.read(text, kind=signed_tokens.ACCESS, now=now)
    assert (claims.user_id, claims.family_id, claims.token_id) == (user_id, family_id, token_id)
    with pytest.raises(signed_tokens.TokenRefusedError):
        signed_tokens.read(text, kind=signed_tokens.REFRESH, now=now)


@pytest.mark.parametrize(("seconds", "is_good"), [(-20, False), (-5, True), (0, True), (65, True), (80, False)])
def test_a_token_that_was_read_before_still_ends(seconds: int, is_good: bool) -> None:
    now, ids = clock.now(), {"user_id": uuid7(), "family_id": uuid7(), "token_id": uuid7()}
    text = signed_tokens.sign(kind=signed_tokens.ACCESS, **ids, now=now, expires_at=now + timedelta(minutes=1))
    signed_tokens.read(text, kind=signed_tokens.ACCESS, now=now)
    later = now + timedelta(seconds=seconds)
    if is_good:
        assert signed_tokens.read(text, kind=signed_tokens.ACCESS, now=later).expires_at
        return
    with pytest.raises(signed_tokens.TokenRefusedError):
        signed_tokens.read(text, kind=signed_tokens.ACCESS, now=later)
