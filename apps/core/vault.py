"""Secrets at rest: AES-256-GCM, a data key per secret wrapped by a versioned master key; any mismatch fails closed."""

import base64
import binascii
import functools
import hmac
import os
import stat
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final, NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from django.conf import settings

from apps.core.errors import UnavailableError

PBKDF2_ROUNDS: Final = 600_000

_FORMAT: Final = 1
_HEAD: Final = struct.Struct(">BI")
_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
_SALT_BYTES: Final = 16
_WRAPPED_BYTES: Final = _NONCE_BYTES + _KEY_BYTES + _TAG_BYTES
_SHORTEST: Final = _HEAD.size + _WRAPPED_BYTES + _NONCE_BYTES + _TAG_BYTES
_SHORTEST_PASSPHRASE: Final = 12
_FEWEST_DIFFERENT_BYTES: Final = 12
_LARGEST_VERSION: Final = 2**32 - 1
_DERIVATION: Final = "pbkdf2-sha256"


class VaultError(UnavailableError):
    """A secret cannot be opened or sealed: another key, another place, damaged bytes, or no key at all."""

    code = "vault_locked"
    title = "A stored secret cannot be opened"
    default_detail = "This secret does not belong here, or the master key is another one. Nothing was changed."


class Secret:
    """A text that shows as `***` wherever it is printed, and cannot be pickled or turned into JSON."""

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        self.__value = value

    def reveal(self) -> str:
        """Return the text; call this only where it goes to the one who must have it."""
        return self.__value

    def __repr__(self) -> str:
        return "***"

    def __str__(self) -> str:
        return "***"

    def __format__(self, format_spec: str) -> str:
        return "***"

    def __bool__(self) -> bool:
        return bool(self.__value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.__value.encode(), other.reveal().encode())

    __hash__ = None  # type: ignore[assignment]

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("A secret cannot be pickled or copied; pass the id of its row.")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a secret belongs: whose it is, in which record, under which name. It opens nowhere else."""

    owner: str
    record: str
    field: str

    def associated(self, *, layer: str, version: int) -> bytes:
        """Return the bytes that bind a ciphertext to this place, unambiguous by their lengths."""
        parts = [part.encode() for part in ("coinsphere", layer, str(version), self.owner, self.record, self.field)]
        return b"".join(struct.pack(">I", len(part)) + part for part in parts)


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Master keys by version; the current one seals, all of them open."""

    keys: Mapping[int, bytes] = field(repr=False)
    current: int

    def __post_init__(self) -> None:
        if self.current not in self.keys:
            raise VaultError("The current master key is missing from the key ring.")
        for version, key in self.keys.items():
            if not 0 < version <= _LARGEST_VERSION or len(key) != _KEY_BYTES:
                raise VaultError(f"A master key is {_KEY_BYTES} bytes and has a version from 1.")
        object.__setattr__(self, "keys", MappingProxyType(dict(self.keys)))

    def key(self, version: int) -> AESGCM:
        """Return the cipher of one version, or refuse when the ring does not hold it."""
        try:
            return AESGCM(self.keys[version])
        except KeyError:
            raise VaultError(
                f"This secret was sealed with master key version {version}, which is not in the key ring."
            ) from None

    def with_new_key(self) -> "KeyRing":
        """Return a ring with one more random key that is now the current one; the old ones still open."""
        version = max(self.keys) + 1
        return KeyRing({**self.keys, version: os.urandom(_KEY_BYTES)}, version)

    def without(self, version: int) -> "KeyRing":
        """Return a ring that has forgotten one old key, once nothing is sealed with it any more."""
        return KeyRing({kept: key for kept, key in self.keys.items() if kept != version}, self.current)

    def __reduce__(self) -> NoReturn:
        raise TypeError("A key ring cannot be pickled.")


def seal(*, ring: KeyRing, secret: Secret, place: Place) -> bytes:
    """Return the secret sealed for this place under a fresh data key."""
    data_key = AESGCM.generate_key(bit_length=8 * _KEY_BYTES)
    nonce = os.urandom(_NONCE_BYTES)
    body = AESGCM(data_key).encrypt(nonce, secret.reveal().encode(), place.associated(layer="data", version=_FORMAT))
    return _wrapped(ring, data_key, place) + nonce + body


def unseal(*, ring: KeyRing, sealed: bytes | memoryview, place: Place) -> Secret:
    """Return the secret, or raise `VaultError` when key, place or bytes are not the ones it was sealed with."""
    envelope = bytes(sealed)
    data_key = _unwrapped(ring, envelope, place)
    start = _HEAD.size + _WRAPPED_BYTES
    nonce, body = envelope[start : start + _NONCE_BYTES], envelope[start + _NONCE_BYTES :]
    try:
        text = AESGCM(data_key).decrypt(nonce, body, place.associated(layer="data", version=_FORMAT))
    except InvalidTag:
        raise VaultError from None
    return Secret(text.decode())


def rewrap(*, ring: KeyRing, sealed: bytes | memoryview, place: Place) -> bytes:
    """Return the same sealed secret with its data key wrapped by the current master key; safe to repeat."""
    envelope = bytes(sealed)
    data_key = _unwrapped(ring, envelope, place)
    if key_version(sealed=envelope) == ring.current:
        return envelope
    return _wrapped(ring, data_key, place) + envelope[_HEAD.size + _WRAPPED_BYTES :]


def key_version(*, sealed: bytes | memoryview) -> int:
    """Return the version of the master key that a sealed secret needs."""
    envelope = bytes(sealed)
    if len(envelope) < _SHORTEST:
        raise VaultError("This stored secret is damaged: it is too short.")
    form, version = _HEAD.unpack_from(envelope)
    if form != _FORMAT:
        raise VaultError("This stored secret has a format that this version cannot read.")
    return int(version)


def _wrapped(ring: KeyRing, data_key: bytes, place: Place) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    bound = place.associated(layer="key", version=ring.current)
    return _HEAD.pack(_FORMAT, ring.current) + nonce + ring.key(ring.current).encrypt(nonce, data_key, bound)


def _unwrapped(ring: KeyRing, envelope: bytes, place: Place) -> bytes:
    version = key_version(sealed=envelope)
    start, end = _HEAD.size, _HEAD.size + _WRAPPED_BYTES
    nonce, body = envelope[start : start + _NONCE_BYTES], envelope[start + _NONCE_BYTES : end]
    try:
        return ring.key(version).decrypt(nonce, body, place.associated(layer="key", version=version))
    except InvalidTag:
        raise VaultError from None


def key_ring() -> KeyRing:
    """Return the master keys that the settings name: MASTER_KEY, else MASTER_PASSPHRASE, else MASTER_KEY_FILE."""
    if settings.MASTER_KEY:
        return ring_from_text(text=settings.MASTER_KEY, source="MASTER_KEY")
    path = Path(settings.MASTER_KEY_FILE)
    if settings.MASTER_PASSPHRASE:
        salts = path.with_name(path.name + ".salt")
        return ring_from_passphrase(passphrase=Secret(settings.MASTER_PASSPHRASE), salt_file=salts)
    return ring_from_text(text=_read_private(path), source=str(path))


def ring_from_text(*, text: str, source: str) -> KeyRing:
    """Read a ring: lines (or comma-separated) of `version:key` in base64, a bare key being version 1; highest seals."""
    entries = [entry.strip() for entry in text.replace(",", "\n").splitlines()]
    keys: dict[int, bytes] = {}
    for entry in entries:
        if entry and not entry.startswith("#"):
            version, key = _key_entry(entry, source)
            if version in keys:
                raise VaultError(f"{source} holds two master keys of version {version}.")
            keys[version] = key
    if not keys:
        raise VaultError(f"{source} holds no master key.")
    return KeyRing(keys, max(keys))


def ring_to_text(*, ring: KeyRing) -> Secret:
    """Return the ring as `ring_from_text` reads it."""
    lines = (f"{version}:{base64.urlsafe_b64encode(key).decode()}\n" for version, key in sorted(ring.keys.items()))
    return Secret("".join(lines))


def save_ring(*, ring: KeyRing, path: Path) -> None:
    """Write the ring to a file that only its owner can read, whole or not at all."""
    _private_draft(path, ring_to_text(ring=ring).reveal()).replace(path)


def ring_from_passphrase(*, passphrase: Secret, salt_file: Path) -> KeyRing:
    """Derive the ring from a passphrase; salts and rounds stand in a file that is made on first use."""
    if len(passphrase.reveal()) < _SHORTEST_PASSPHRASE:
        raise VaultError(f"MASTER_PASSPHRASE is too short: use at least {_SHORTEST_PASSPHRASE} characters.")
    if not salt_file.exists():
        _make_salt(salt_file)
    entries = [_salt_entry(line) for line in _read_private(salt_file).split()]
    if not entries:
        raise VaultError("The salt file of the master passphrase is empty; restore it from a backup.")
    keys = {version: _derived(passphrase.reveal(), salt, rounds) for version, rounds, salt in entries}
    return KeyRing(keys, max(keys))


def _salt_entry(line: str) -> tuple[int, int, bytes]:
    try:
        version, method, rounds, text = line.split(":")
        entry = int(version), int(rounds), base64.urlsafe_b64decode(text)
    except ValueError:
        raise VaultError("The salt file of the master passphrase is damaged; restore it from a backup.") from None
    if method != _DERIVATION or entry[1] < PBKDF2_ROUNDS or len(entry[2]) < _SALT_BYTES:
        raise VaultError("The salt file of the master passphrase is weaker than allowed; restore it from a backup.")
    return entry


@functools.lru_cache(maxsize=8)
def _derived(passphrase: str, salt: bytes, rounds: int) -> bytes:
    kdf = PBKDF2HMAC(algorithm=hashes.SHA256(), length=_KEY_BYTES, salt=salt, iterations=rounds)
    return kdf.derive(passphrase.encode())


def _make_salt(path: Path) -> None:
    salt = base64.urlsafe_b64encode(os.urandom(_SALT_BYTES)).decode()
    draft = _private_draft(path, f"1:{_DERIVATION}:{PBKDF2_ROUNDS}:{salt}\n")
    try:
        os.link(draft, path)
    except FileExistsError:
        return  # another process was first; its salt counts
    finally:
        draft.unlink()


def _key_entry(entry: str, source: str) -> tuple[int, bytes]:
    version, separator, text = entry.rpartition(":")
    try:
        number = int(version) if separator else 1
        key = base64.b64decode(text.strip().replace("-", "+").replace("_", "/"), validate=True)
    except (ValueError, binascii.Error):
        raise VaultError(f"{source} holds something that is no base64 master key.") from None
    if len(key) != _KEY_BYTES or len(set(key)) < _FEWEST_DIFFERENT_BYTES:
        raise VaultError(f"{source} holds a weak master key: use {_KEY_BYTES} random bytes in base64.")
    return number, key


def _read_private(path: Path) -> str:
    try:
        with path.open(encoding="ascii") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or stat.S_IMODE(status.st_mode) & 0o077:
                raise VaultError(f"{path} can be read by others. Run: chmod 600 {path}")
            return file.read()
    except FileNotFoundError:
        raise VaultError(f"There is no master key at {path}. Restore it, or start with ./coinsphere.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise VaultError(f"The master key at {path} cannot be read.") from error


def _private_draft(path: Path, text: str) -> Path:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return draft
