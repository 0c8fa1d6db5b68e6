"""A sealed file gives back what was written, or nothing."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.operations.gateways import sealed_file
from apps.operations.gateways.sealed_file import (
    CHUNK,
    MAGIC,
    DamagedBackupError,
    SealedReader,
    SealedWriter,
    WrongPassphraseError,
)

ROUNDS = 100_000
PASSPHRASE = "correct horse battery"


def seal(plain: bytes, *, passphrase: str = PASSPHRASE) -> bytes:
    target = io.BytesIO()
    with SealedWriter(target=target, passphrase=passphrase, rounds=ROUNDS) as writer:
        writer.write(plain)
    return target.getvalue()


def unseal(sealed: bytes, *, passphrase: str = PASSPHRASE) -> bytes:
    return SealedReader(source=io.BytesIO(sealed), passphrase=passphrase).read()


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_what_was_written_is_read(size: int) -> None:
    plain = bytes(index % 251 for index in range(size))
    assert unseal(seal(plain)) == plain


def test_nothing_readable_stands_in_the_file() -> None:
    assert b"canary" not in seal(b"canary" * 1000)


def test_another_passphrase_is_refused() -> None:
    with pytest.raises(WrongPassphraseError):
        unseal(seal(b"x"), passphrase="another passphrase")


SEALED = seal(b"y" * (2 * CHUNK + 5))


@settings(max_examples=25, deadline=None)
@given(cut=st.integers(min_value=1, max_value=len(SEALED) - len(MAGIC)))
def test_a_cut_file_is_refused(cut: int) -> None:
    with pytest.raises((DamagedBackupError, WrongPassphraseError)):
        unseal(SEALED[:-cut])


@settings(max_examples=25, deadline=None)
@given(at=st.integers(min_value=0, max_value=len(SEALED) - 1), flip=st.integers(min_value=1, max_value=255))
def test_a_changed_byte_is_refused(at: int, flip: int) -> None:
    changed = bytearray(SEALED)
    changed[at] ^= flip
    with pytest.raises((DamagedBackupError, WrongPassphraseError)):
        unseal(bytes(changed))


def test_chunks_cannot_change_places() -> None:
    head = len(SEALED) - 2 * (CHUNK + 16 + 4) - (5 + 16 + 4)
    first, second = SEALED[head : head + CHUNK + 20], SEALED[head + CHUNK + 20 : head + 2 * (CHUNK + 20)]
    with pytest.raises((DamagedBackupError, WrongPassphraseError)):
        unseal(SEALED[:head] + second + first + SEALED[head + 2 * (CHUNK + 20) :])


def test_a_whole_chunk_left_off_at_the_end_is_refused() -> None:
    with pytest.raises(DamagedBackupError):
        unseal(SEALED[: -(5 + 16 + 4)])


@pytest.mark.parametrize("rounds", ["1", "99999999999", '"many"'])
def test_a_header_with_odd_rounds_is_refused(rounds: str) -> None:
    header = f'{{"rounds": {rounds}, "salt": "AAAA", "nonce": "AAAA"}}'.encode()
    forged = MAGIC + len(header).to_bytes(4, "big") + header
    with pytest.raises(DamagedBackupError):
        unseal(forged)


@pytest.mark.parametrize("junk", [b"", b"PK\x03\x04", MAGIC, MAGIC + b"\xff\xff\xff\xff"])
def test_another_kind_of_file_is_refused(junk: bytes) -> None:
    with pytest.raises(DamagedBackupError):
        unseal(junk)


def test_new_files_take_at_least_600000_rounds() -> None:
    assert sealed_file.ROUNDS >= 600_000
