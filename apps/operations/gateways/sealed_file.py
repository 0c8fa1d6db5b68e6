"""A file that only a passphrase opens: AES-256-GCM in numbered chunks, the last one marked.

A changed, swapped, missing or cut-off chunk is refused, so what is read is what was written or nothing.
"""

import base64
import io
import json
import os
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from apps.core.errors import InvalidError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

MAGIC = b"COINSPHERE BACKUP 1\n"
ROUNDS = 600_000
_ROUNDS_ALLOWED = range(100_000, 10_000_001)
CHUNK = 1 << 20
_LENGTH = struct.Struct(">I")
_TAG, _SALT, _PREFIX = 16, 16, 7
_LARGEST_HEADER = 4096


class WrongPassphraseError(InvalidError):
    """The passphrase does not open the file, or its first part was changed."""

    code = "wrong_passphrase"
    default_detail = "The passphrase does not open this backup. Nothing was changed; try again with the right one."


class DamagedBackupError(InvalidError):
    """The file is not a backup, was cut off or was changed."""

    code = "damaged_backup"
    default_detail = "This file is not a complete Coinsphere backup. Nothing was changed; use another copy."


@dataclass(frozen=True, slots=True)
class _Header:
    raw: bytes
    salt: bytes
    prefix: bytes
    rounds: int


def _key(*, passphrase: str, salt: bytes, rounds: int) -> bytes:
    kdf = PBKDF2HMAC(algorithm=SHA256(), length=32, salt=salt, iterations=rounds)
    return kdf.derive(passphrase.encode())


def _nonce(*, prefix: bytes, number: int, last: bool) -> bytes:
    return prefix + _LENGTH.pack(number) + bytes([last])


class SealedWriter(io.RawIOBase):
    """Writes plain bytes in, sealed chunks out."""

    def __init__(self, *, target: BinaryIO, passphrase: str, rounds: int = ROUNDS) -> None:
        super().__init__()
        salt, self._prefix = os.urandom(_SALT), os.urandom(_PREFIX)
        header = json.dumps(
            {
                "kdf": "pbkdf2-hmac-sha256",
                "rounds": rounds,
                "salt": base64.b64encode(salt).decode(),
                "nonce": base64.b64encode(self._prefix).decode(),
            }
        ).encode()
        self._header = MAGIC + _LENGTH.pack(len(header)) + header
        self._cipher = AESGCM(_key(passphrase=passphrase, salt=salt, rounds=rounds))
        self._target = target
        self._buffer = bytearray()
        self._number = 0
        target.write(self._header)

    def writable(self) -> bool:
        return True

    def write(self, data: "ReadableBuffer", /) -> int:
        view = memoryview(data)
        self._buffer += view
        while len(self._buffer) > CHUNK:
            self._seal(bytes(self._buffer[:CHUNK]), last=False)
            del self._buffer[:CHUNK]
        return view.nbytes

    def close(self) -> None:
        if not self.closed:
            self._seal(bytes(self._buffer), last=True)
            self._buffer.clear()
        super().close()

    def _seal(self, chunk: bytes, *, last: bool) -> None:
        nonce = _nonce(prefix=self._prefix, number=self._number, last=last)
        sealed = self._cipher.encrypt(nonce, chunk, self._header)
        self._target.write(_LENGTH.pack(len(sealed)) + sealed)
        self._number += 1


class SealedReader(io.RawIOBase):
    """Reads sealed chunks, gives plain bytes; raises before it gives a byte that is not proven."""

    def __init__(self, *, source: BinaryIO, passphrase: str) -> None:
        super().__init__()
        self._source = source
        header = _read_header(source)
        self._header, self._prefix = header.raw, header.prefix
        self._cipher = AESGCM(_key(passphrase=passphrase, salt=header.salt, rounds=header.rounds))
        self._buffer = b""
        self._number = 0
        self._finished = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer).cast("B")
        while not self._buffer and not self._finished:
            self._buffer = self._open_next()
        count = min(len(view), len(self._buffer))
        view[:count] = self._buffer[:count]
        self._buffer = self._buffer[count:]
        return count

    def _open_next(self) -> bytes:
        sealed = self._read_chunk()
        for last in (False, True):
            nonce = _nonce(prefix=self._prefix, number=self._number, last=last)
            try:
                plain = self._cipher.decrypt(nonce, sealed, self._header)
            except InvalidTag:
                continue
            self._number += 1
            self._finished = last
            return plain
        raise WrongPassphraseError if self._number == 0 else DamagedBackupError

    def _read_chunk(self) -> bytes:
        head = self._source.read(_LENGTH.size)
        if len(head) != _LENGTH.size:
            raise DamagedBackupError
        (length,) = _LENGTH.unpack(head)
        if not _TAG <= length <= CHUNK + _TAG:
            raise DamagedBackupError
        sealed = self._source.read(length)
        if len(sealed) != length:
            raise DamagedBackupError
        return sealed


def _read_header(source: BinaryIO) -> _Header:
    """Read what stands before the first chunk; a changed header shows as a chunk that does not open."""
    if source.read(len(MAGIC)) != MAGIC:
        raise DamagedBackupError
    head = source.read(_LENGTH.size)
    length = _LENGTH.unpack(head)[0] if len(head) == _LENGTH.size else 0
    body = source.read(length) if length <= _LARGEST_HEADER else b""
    try:
        options = json.loads(body)
        rounds = int(options["rounds"])
        salt, prefix = base64.b64decode(options["salt"]), base64.b64decode(options["nonce"])
    except (ValueError, TypeError, KeyError) as error:
        raise DamagedBackupError from error
    if rounds not in _ROUNDS_ALLOWED or len(salt) != _SALT or len(prefix) != _PREFIX:
        raise DamagedBackupError
    return _Header(raw=MAGIC + head + body, salt=salt, prefix=prefix, rounds=rounds)
