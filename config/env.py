"""Values from outside: the environment first, then the files that set-up and the supervisor keep in the data folder."""

import base64
import os
from pathlib import Path
from zoneinfo import available_timezones

import environ
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(os.environ.get("COINSPHERE_DATA") or BASE_DIR / "var").resolve()
SECRETS_FILE = DATA_DIR / "secrets.env"
SERVICES_FILE = DATA_DIR / "run" / "services.env"

_SECRET_LENGTH = 32
_SEED_BYTES = 32
_FEWEST_DIFFERENT_BYTES = 12
_SAMPLES = ("secret", "changeme", "change-me", "django-insecure", "example", "sample", "password", "something")


def read_env_file(path: Path) -> dict[str, str]:
    """Read NAME=value lines; a file that is not there holds nothing."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    pairs = (line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    return {name.strip(): value.strip() for name, value in pairs}


def load() -> environ.Env:
    """Return the reader of settings: environment over services file over secrets file."""
    reader = environ.Env()
    reader.ENVIRON = {**read_env_file(SECRETS_FILE), **read_env_file(SERVICES_FILE), **os.environ}
    return reader


def strong_secret(value: str, *, name: str, debug: bool) -> str:
    """Return the secret, or refuse one that is missing, short or a sample."""
    if debug:
        return value or "only-for-debugging-" * 3
    if not value:
        raise ImproperlyConfigured(f"{name} is not set. Start with ./coinsphere, which makes one, or set it.")
    weak = len(value) < _SECRET_LENGTH or len(set(value)) < _SECRET_LENGTH // 3
    if weak or any(sample in value.lower() for sample in _SAMPLES):
        raise ImproperlyConfigured(
            f"{name} is too weak: use at least {_SECRET_LENGTH} random characters and no sample value."
        )
    return value


def time_zone(name: str) -> str:
    """Return the name of a time zone, or refuse one that does not exist."""
    if name not in available_timezones():
        raise ImproperlyConfigured(f"TIME_ZONE: there is no time zone {name}. Use a name such as Europe/Berlin or UTC.")
    return name


def jwt_keys(*, seed: str, secret_key: str) -> tuple[str, str]:
    """Return the Ed25519 key pair that signs access tokens, as PEM, from its seed or else from the secret key."""
    raw = _seed_bytes(seed) if seed else _derived(secret_key)
    private = Ed25519PrivateKey.from_private_bytes(raw)
    private_pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public_pem = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private_pem.decode(), public_pem.decode()


def _seed_bytes(seed: str) -> bytes:
    """Return the seed, or refuse one that is no seed or easily guessed: whoever has it signs in as anybody."""
    try:
        raw = base64.b64decode(seed.replace("-", "+").replace("_", "/"), validate=True)
    except ValueError:
        raw = b""
    if len(raw) != _SEED_BYTES or len(set(raw)) < _FEWEST_DIFFERENT_BYTES:
        raise ImproperlyConfigured(f"JWT_SIGNING_SEED is too weak: use {_SEED_BYTES} random bytes in base64, or none.")
    return raw


def _derived(secret_key: str) -> bytes:
    kdf = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"coinsphere access tokens")
    return kdf.derive(secret_key.encode())
