"""The accounts of each venue and their keys, derived from the seed in each venue's own format."""

import base64
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from apps.simulator.domain import seeds
from apps.simulator.domain.shapes import Account, Rights

_LABELS = {
    "main": Rights.READ,
    "large": Rights.READ,
    "empty": Rights.READ,
    "trader": Rights.TRADE,
    "treasury": Rights.WITHDRAW,
}
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_CURVE_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def accounts(seed: int, venue: str) -> tuple[Account, ...]:
    """Return the accounts of a venue: the first has a full history, `large` thousands of trades, `empty` nothing."""
    labels = {**_LABELS, "edwards": Rights.READ} if venue == "coinbase" else _LABELS
    return tuple(_account(seed, venue, label, rights) for label, rights in labels.items())


def _account(seed: int, venue: str, label: str, rights: Rights) -> Account:
    words = (venue, label)
    passphrase = None
    if venue == "binance":
        kind, key, secret = "hmac", letters(seed, 64, *words, "key"), letters(seed, 64, *words, "secret")
    elif venue == "kraken":
        kind = "hmac"
        key = _base64(seed, 42, *words, "key")
        secret = _base64(seed, 64, *words, "secret")
    elif venue == "kucoin":
        kind, key, secret = "hmac", seeds.digest(seed, *words, "key").hex()[:24], uuid(seed, *words, "secret")
        passphrase = letters(seed, 12, *words, "passphrase")
    else:
        kind = "ed25519" if label == "edwards" else "ec"
        key = f"organizations/{uuid(seed, *words, 'organization')}/apiKeys/{uuid(seed, *words, 'key')}"
        secret = _edwards(seed, *words) if kind == "ed25519" else _elliptic(seed, *words)
    return Account(venue, label, rights, key, secret, passphrase, kind)


def _stream(seed: int, length: int, *words: object) -> bytes:
    found = b""
    while len(found) < length:
        found += seeds.digest(seed, *words, len(found))
    return found[:length]


def letters(seed: int, length: int, *words: object) -> str:
    """Return letters and digits."""
    return "".join(_LETTERS[byte % len(_LETTERS)] for byte in _stream(seed, length, *words))


def _base64(seed: int, length: int, *words: object) -> str:
    return base64.b64encode(_stream(seed, length, *words)).decode()


def uuid(seed: int, *words: object) -> str:
    """Return an id in the form of a random UUID."""
    return str(UUID(bytes=seeds.digest(seed, *words)[:16], version=4))


def _elliptic(seed: int, *words: object) -> str:
    number = int.from_bytes(seeds.digest(seed, *words, "curve"), "big") % (_CURVE_ORDER - 1) + 1
    key = ec.derive_private_key(number, ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()


def _edwards(seed: int, *words: object) -> str:
    private = seeds.digest(seed, *words, "edwards")
    public = ed25519.Ed25519PrivateKey.from_private_bytes(private).public_key()
    return base64.b64encode(private + public.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()
