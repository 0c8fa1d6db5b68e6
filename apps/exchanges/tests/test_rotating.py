"""A new master key: wrapped in batches, resumable, readable meanwhile; and what a stolen database tells."""

from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.core import clock
from apps.core.vault import KeyRing, VaultError, key_ring, save_ring
from apps.exchanges.actions import rotating
from apps.exchanges.actions.secrets import secrets_of
from apps.exchanges.models import Connection, SealedSecret, UsePurpose
from apps.exchanges.tests.factories import make_connection, make_secrets

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def ring_of_its_own(settings: Any, tmp_path: Path) -> Path:
    """Keep the master keys of a test in a file of its own."""
    path = tmp_path / "master.key"
    save_ring(ring=key_ring(), path=path)
    settings.MASTER_KEY_FILE, settings.MASTER_KEY, settings.MASTER_PASSPHRASE = str(path), "", ""
    return path


def opens(connection: Connection) -> dict[str, str]:
    """Return what the key of a connection opens to."""
    held = secrets_of(connection=connection, purpose=UsePurpose.SYNC, now=clock.now())
    return {name: secret.reveal() for name, secret in held.items()}


def test_a_rotation_that_was_killed_goes_on_and_everything_opens_meanwhile(
    monkeypatch: pytest.MonkeyPatch, ring_of_its_own: Path
) -> None:
    kept = [make_connection(label=f"Number {number}") for number in range(5)]
    before = {connection.pk: opens(connection) for connection in kept}
    monkeypatch.setattr(rotating, "BATCH", 2)
    write, written = rotating._write, list[int]()

    def dies_at_the_third(done: dict[str, bytes], version: int) -> None:
        if len(written) == 2:
            raise KeyboardInterrupt
        written.append(len(done))
        write(done, version)

    monkeypatch.setattr(rotating, "_write", dies_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        call_command("rotate_keys")
    assert SealedSecret.objects.filter(key_version=2).count() == 4
    assert {connection.pk: opens(connection) for connection in kept} == before
    monkeypatch.setattr(rotating, "_write", write)
    call_command("rotate_keys")
    assert key_ring().current == 2  # it went on, and added no third key
    assert set(SealedSecret.objects.values_list("key_version", flat=True)) == {2}
    assert {connection.pk: opens(connection) for connection in kept} == before
    save_ring(ring=key_ring().without(1), path=ring_of_its_own)
    assert {connection.pk: opens(connection) for connection in kept} == before


def test_one_that_does_not_open_is_named_and_hides_none_of_the_others() -> None:
    sound, broken = make_connection(), make_connection()
    stolen = SealedSecret.objects.get(connection=sound, field="api_key").sealed
    SealedSecret.objects.filter(connection=broken, field="api_secret").update(sealed=stolen)
    with pytest.raises(CommandError, match="1 secrets do not open"):
        call_command("rotate_keys")
    assert SealedSecret.objects.filter(key_version=2).count() == 3
    assert opens(sound)


def test_a_key_that_comes_from_outside_is_not_added_to(settings: Any, ring_of_its_own: Path) -> None:
    make_connection()
    settings.MASTER_KEY = ring_of_its_own.read_text()
    with pytest.raises(CommandError, match="keep-key"):
        call_command("rotate_keys")


def test_a_stolen_database_yields_nothing_without_the_master_key(settings: Any, tmp_path: Path) -> None:
    secrets = make_secrets()
    connection = make_connection(secrets=secrets)
    words = [secret.reveal() for secret in secrets.values()]
    for model in (Connection, SealedSecret):
        for row in model.objects.values():
            told = " ".join(str(bytes(one) if isinstance(one, memoryview) else one) for one in row.values())
            assert not any(word in told for word in words)
    settings.MASTER_KEY_FILE = str(tmp_path / "other.key")
    save_ring(ring=KeyRing({1: bytes(range(100, 132))}, 1), path=tmp_path / "other.key")
    with pytest.raises(VaultError):
        opens(connection)


def test_all_keys_are_forgotten_only_when_it_is_meant() -> None:
    connection = make_connection()
    with pytest.raises(CommandError, match="--yes"):
        call_command("forget_keys")
    assert opens(connection)
    call_command("forget_keys", "--yes")
    assert not SealedSecret.objects.exists()
