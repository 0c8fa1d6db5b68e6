"""The vault fails closed: another place, another key or one changed bit opens nothing, and a secret never shows."""

import base64
import copy
import json
import logging
import pickle
import stat
from pathlib import Path

import orjson
import pytest
from django.core.serializers.json import DjangoJSONEncoder
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from apps.core import vault
from apps.core.vault import KeyRing, Place, Secret, VaultError

CANARY = "canary-5d41402abc4b2a76"
PLACE = Place(owner="018f-owner", record="018f-record", field="api_secret")


def make_ring(*, version: int = 1, seed: int = 0) -> KeyRing:
    return KeyRing({version: bytes((seed + index) % 256 for index in range(32))}, version)


def key_text(seed: int = 0) -> str:
    return base64.urlsafe_b64encode(bytes((seed + index) % 256 for index in range(32))).decode()


def sealed(ring: KeyRing, *, place: Place = PLACE, text: str = CANARY) -> bytes:
    return vault.seal(ring=ring, secret=Secret(text), place=place)


def opened(ring: KeyRing, envelope: bytes | memoryview, *, place: Place = PLACE) -> str:
    return vault.unseal(ring=ring, sealed=envelope, place=place).reveal()


class TestSecret:
    def test_shows_only_stars(self, caplog: pytest.LogCaptureFixture) -> None:
        secret = Secret(CANARY)
        logging.getLogger("test").warning("key %s %r", secret, [secret])
        shown = [
            repr(secret),
            str(secret),
            f"{secret}",
            f"{secret:>40}",
            f"{secret!r}",
            repr({"k": secret}),
        ]
        assert not [text for text in [*shown, caplog.text] if CANARY in text]
        assert str(secret) == "***"
        assert secret.reveal() == CANARY

    @pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
    def test_is_not_pickled(self, protocol: int) -> None:
        with pytest.raises(TypeError, match="cannot be pickled"):
            pickle.dumps(Secret(CANARY), protocol)

    def test_is_not_copied_or_turned_into_json(self) -> None:
        for leak in (
            copy.copy,
            copy.deepcopy,
            json.dumps,
            orjson.dumps,
            DjangoJSONEncoder().encode,
            vars,
        ):
            with pytest.raises(TypeError):
                leak(Secret(CANARY))

    def test_compares_without_showing(self) -> None:
        assert Secret("a") == Secret("a")
        assert Secret("a") != Secret("ä")
        assert Secret("a") != "a"
        assert Secret("a")
        assert not Secret("")
        with pytest.raises(TypeError):
            hash(Secret("a"))


class TestEnvelope:
    @given(st.text(max_size=300))
    def test_opens_what_was_sealed(self, text: str) -> None:
        ring = make_ring()
        assert opened(ring, sealed(ring, text=text)) == text

    def test_takes_what_the_database_driver_returns(self) -> None:
        assert opened(make_ring(), memoryview(sealed(make_ring()))) == CANARY

    def test_never_seals_twice_alike_and_hides_the_text(self) -> None:
        first, second = sealed(make_ring()), sealed(make_ring())
        assert first != second
        assert CANARY.encode() not in first
        assert len({first[5:17], second[5:17], first[65:77], second[65:77]}) == 4

    @pytest.mark.parametrize(
        "place",
        [
            Place("other", PLACE.record, PLACE.field),
            Place(PLACE.owner, "other", PLACE.field),
            Place(PLACE.owner, PLACE.record, "api_key"),
            Place(PLACE.record, PLACE.owner, PLACE.field),
            Place(PLACE.owner + PLACE.record, "", PLACE.field),
            Place("", "", ""),
        ],
    )
    def test_opens_in_no_other_place(self, place: Place) -> None:
        ring = make_ring()
        with pytest.raises(VaultError, match="does not belong here"):
            opened(ring, sealed(ring), place=place)
        with pytest.raises(VaultError):
            vault.rewrap(ring=ring, sealed=sealed(ring), place=place)

    def test_two_rows_swapped_in_sql_open_nothing(self) -> None:
        ring = make_ring()
        mine, theirs = Place("me", "1", "api_key"), Place("them", "2", "api_key")
        rows = {mine: sealed(ring, place=theirs), theirs: sealed(ring, place=mine)}
        for place, envelope in rows.items():
            with pytest.raises(VaultError):
                opened(ring, envelope, place=place)

    def test_a_data_key_carries_no_other_body(self) -> None:
        ring = make_ring()
        first, second = sealed(ring), sealed(ring)
        with pytest.raises(VaultError):
            opened(ring, first[:65] + second[65:])

    def test_every_changed_bit_is_noticed(self) -> None:
        ring = make_ring()
        envelope = sealed(ring)
        for position in range(8 * len(envelope)):
            damaged = bytearray(envelope)
            damaged[position // 8] ^= 1 << position % 8
            with pytest.raises(VaultError):
                opened(ring, bytes(damaged))

    def test_every_cut_is_noticed(self) -> None:
        ring = make_ring()
        envelope = sealed(ring)
        for length in range(len(envelope)):
            with pytest.raises(VaultError):
                opened(ring, envelope[:length])
        with pytest.raises(VaultError):
            opened(ring, envelope + b"\0")

    def test_another_master_key_opens_nothing(self) -> None:
        with pytest.raises(VaultError) as caught:
            opened(make_ring(seed=7), sealed(make_ring()))
        assert CANARY not in str(caught.value)
        assert caught.value.status == 503
        assert caught.value.code == "vault_locked"

    def test_the_errors_hold_no_trace_of_the_cipher(self) -> None:
        with pytest.raises(VaultError) as caught:
            opened(make_ring(seed=7), sealed(make_ring()))
        assert caught.value.__suppress_context__


class TestRotation:
    def test_old_and_new_are_readable_meanwhile(self) -> None:
        old = make_ring()
        new = old.with_new_key()
        before, after = sealed(old), sealed(new)
        assert (vault.key_version(sealed=before), vault.key_version(sealed=after)) == (1, 2)
        assert opened(new, before) == opened(new, after) == CANARY
        with pytest.raises(VaultError, match="version 2"):
            opened(old, after)

    def test_rewrapping_moves_to_the_new_key_and_may_be_repeated(self) -> None:
        old = make_ring()
        new = old.with_new_key()
        before = sealed(old)
        moved = vault.rewrap(ring=new, sealed=before, place=PLACE)
        assert vault.key_version(sealed=moved) == 2
        assert moved[65:] == before[65:]
        assert vault.rewrap(ring=new, sealed=moved, place=PLACE) == moved
        assert opened(new.without(1), moved) == CANARY
        with pytest.raises(VaultError, match="version 1"):
            opened(new.without(1), before)

    def test_a_version_relabelled_by_hand_opens_nothing(self) -> None:
        ring = KeyRing({1: make_ring().keys[1], 2: make_ring().keys[1]}, 1)
        envelope = sealed(ring)
        with pytest.raises(VaultError):
            opened(ring, envelope[:1] + (2).to_bytes(4) + envelope[5:])

    def test_the_current_key_cannot_be_forgotten(self) -> None:
        with pytest.raises(VaultError, match="current master key"):
            make_ring().without(1)

    @pytest.mark.parametrize("keys", [{0: bytes(32)}, {1: bytes(31)}, {2**32: bytes(32)}])
    def test_a_ring_takes_sound_keys_only(self, keys: dict[int, bytes]) -> None:
        with pytest.raises(VaultError):
            KeyRing(keys, max(keys))

    def test_a_ring_shows_no_key_and_does_not_travel(self) -> None:
        ring = make_ring()
        assert repr(ring) == "KeyRing(current=1)"
        with pytest.raises(TypeError, match="pickled"):
            pickle.dumps(ring)


class TestSources:
    def test_reads_a_bare_key_and_several_versions(self) -> None:
        one = vault.ring_from_text(text=key_text() + "\n", source="x")
        two = vault.ring_from_text(text=f"# rotated\n1:{key_text()},2:{key_text(9)}\n", source="x")
        assert (one.current, two.current) == (1, 2)
        assert opened(two, sealed(one)) == CANARY
        assert vault.ring_from_text(text=vault.ring_to_text(ring=two).reveal(), source="x") == two

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "# nothing",
            "short",
            base64.b64encode(bytes(32)).decode(),
            base64.b64encode(bytes(range(16))).decode(),
            f"x:{key_text()}",
            f"0:{key_text()}",
            f"1:{key_text()}\n1:{key_text(3)}",
            "ü" * 44,
        ],
    )
    def test_refuses_a_missing_weak_or_broken_key(self, text: str) -> None:
        with pytest.raises(VaultError) as caught:
            vault.ring_from_text(text=text, source="MASTER_KEY")
        assert not text or text not in caught.value.detail

    def test_the_file_is_read_when_private(self, tmp_path: Path, settings: Settings) -> None:
        path = tmp_path / "master.key"
        vault.save_ring(ring=make_ring(), path=path)
        settings.MASTER_KEY_FILE, settings.MASTER_KEY, settings.MASTER_PASSPHRASE = str(path), "", ""
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert vault.key_ring() == make_ring()
        vault.save_ring(ring=make_ring().with_new_key(), path=path)
        assert vault.key_ring().current == 2
        assert [child.name for child in tmp_path.iterdir()] == ["master.key"]

    @pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o666, 0o601])
    def test_the_file_is_refused_when_others_may_touch_it(self, tmp_path: Path, settings: Settings, mode: int) -> None:
        path = tmp_path / "master.key"
        vault.save_ring(ring=make_ring(), path=path)
        path.chmod(mode)
        settings.MASTER_KEY_FILE, settings.MASTER_KEY, settings.MASTER_PASSPHRASE = str(path), "", ""
        with pytest.raises(VaultError, match="chmod 600"):
            vault.key_ring()

    def test_a_missing_or_unreadable_file_is_one_clear_sentence(self, tmp_path: Path, settings: Settings) -> None:
        settings.MASTER_KEY, settings.MASTER_PASSPHRASE = "", ""
        settings.MASTER_KEY_FILE = str(tmp_path / "none")
        with pytest.raises(VaultError, match="There is no master key"):
            vault.key_ring()
        settings.MASTER_KEY_FILE = str(tmp_path)
        with pytest.raises(VaultError, match="cannot be read"):
            vault.key_ring()
        binary = tmp_path / "binary"
        binary.write_bytes(b"\xff" * 32)
        binary.chmod(0o600)
        settings.MASTER_KEY_FILE = str(binary)
        with pytest.raises(VaultError, match="cannot be read"):
            vault.key_ring()

    def test_the_environment_comes_first(self, tmp_path: Path, settings: Settings) -> None:
        settings.MASTER_KEY_FILE, settings.MASTER_KEY = str(tmp_path / "none"), key_text()
        assert vault.key_ring() == make_ring()

    def test_a_passphrase_derives_the_same_key_from_its_stored_salt(self, tmp_path: Path, settings: Settings) -> None:
        settings.MASTER_KEY_FILE, settings.MASTER_KEY = str(tmp_path / "master.key"), ""
        settings.MASTER_PASSPHRASE = "correct horse battery"
        first = vault.key_ring()
        salts = tmp_path / "master.key.salt"
        assert stat.S_IMODE(salts.stat().st_mode) == 0o600
        assert salts.read_text().split(":")[:3] == ["1", "pbkdf2-sha256", "600000"]
        vault._derived.cache_clear()
        assert vault.key_ring() == first
        settings.MASTER_PASSPHRASE = "correct horse batterz"
        with pytest.raises(VaultError):
            opened(vault.key_ring(), sealed(first))

    def test_two_processes_making_the_salt_agree(self, tmp_path: Path) -> None:
        path = tmp_path / "salt"
        vault._make_salt(path)
        first = path.read_text()
        vault._make_salt(path)
        assert path.read_text() == first
        assert [child.name for child in tmp_path.iterdir()] == ["salt"]

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "rubbish",
            "1:pbkdf2-sha256:x:AAAA",
            "1:pbkdf2-sha256:599999:" + base64.b64encode(bytes(16)).decode(),
            "1:pbkdf2-sha256:600000:AAAA",
            "1:md5:600000:" + base64.b64encode(bytes(16)).decode(),
        ],
    )
    def test_a_weak_or_damaged_salt_file_is_refused(self, tmp_path: Path, text: str) -> None:
        path = tmp_path / "salt"
        path.touch(mode=0o600)
        path.write_text(text)
        with pytest.raises(VaultError, match="salt file"):
            vault.ring_from_passphrase(passphrase=Secret("long enough passphrase"), salt_file=path)

    def test_a_short_passphrase_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(VaultError, match="at least 12"):
            vault.ring_from_passphrase(passphrase=Secret("short"), salt_file=tmp_path / "salt")
