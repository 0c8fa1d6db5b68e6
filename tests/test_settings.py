"""The settings: weak secrets are refused, and nobody outside is waited for without end."""

import base64

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from config import env


@pytest.mark.parametrize("raw", [b"a" * 32, b"short", bytes(range(31))])
def test_a_weak_seed_of_access_tokens_is_refused(raw: bytes) -> None:
    with pytest.raises(ImproperlyConfigured, match="JWT_SIGNING_SEED is too weak"):
        env.jwt_keys(seed=base64.urlsafe_b64encode(raw).decode(), secret_key="unused")


def test_a_seed_that_is_no_base64_is_refused_in_words() -> None:
    with pytest.raises(ImproperlyConfigured, match="32 random bytes"):
        env.jwt_keys(seed="not a seed!", secret_key="unused")


def test_a_good_seed_makes_the_same_keys_each_time() -> None:
    seed = base64.urlsafe_b64encode(bytes(range(32))).decode()
    assert env.jwt_keys(seed=seed, secret_key="x") == env.jwt_keys(seed=seed, secret_key="y")


def test_waiting_for_mail_and_database_ends() -> None:
    assert 0 < settings.EMAIL_TIMEOUT <= 30
    options = settings.DATABASES["default"]["OPTIONS"]
    assert options["connect_timeout"] <= 5
    assert options["tcp_user_timeout"] <= 30_000


def test_a_time_zone_that_does_not_exist_is_refused_at_the_start() -> None:
    assert env.time_zone("Europe/Berlin") == "Europe/Berlin"
    with pytest.raises(ImproperlyConfigured, match="there is no time zone Mars/Base"):
        env.time_zone("Mars/Base")
