"""Randomness by name: the same seed and words give the same numbers, whatever was asked for before."""

import hashlib
import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_CHUNK = 256


def digest(seed: int, *words: object) -> bytes:
    """Return 32 bytes that belong to a seed and some words."""
    text = "\x1f".join((str(seed), *map(str, words)))
    return hashlib.blake2b(text.encode(), digest_size=32).digest()


def number(seed: int, *words: object) -> int:
    """Return a whole number of 64 bits that belongs to a seed and some words."""
    return int.from_bytes(digest(seed, *words)[:8], "big")


class _Words(np.random.bit_generator.ISeedSequence):
    """Seeds a generator with given bytes; much faster than hashing them once more."""

    def __init__(self, given: bytes) -> None:
        self._given = given

    def generate_state(self, n_words: int, dtype: npt.DTypeLike = np.uint32) -> npt.NDArray[np.unsignedinteger]:
        return np.frombuffer(self._given, dtype=dtype)[:n_words]


def generator(seed: int, *words: object) -> np.random.Generator:
    """Return a source of random numbers that belongs to a seed and some words."""
    words_given = _Words(digest(seed, *words))
    return np.random.Generator(np.random.SFC64(words_given))  # type: ignore[arg-type]  # unknown to numpy's stubs


def pulled_walk(pull: float, steps: Floats) -> Floats:
    """Return a walk that is drawn back to zero: y[t] = (1 - pull) * y[t-1] + steps[t]."""
    keep = 1.0 - pull
    powers = keep ** np.arange(_CHUNK)
    walk = np.empty_like(steps)
    last = 0.0
    for start in range(0, len(steps), _CHUNK):
        part = steps[start : start + _CHUNK]
        weights = powers[: len(part)]
        walk[start : start + len(part)] = weights * (keep * last + np.cumsum(part / weights))
        last = walk[start + len(part) - 1]
    return walk


@lru_cache(maxsize=16)
def _ramp(points: int) -> Floats:
    return np.linspace(0.0, 1.0, points + 1)


def bridge(source: np.random.Generator, points: int, spread: Floats | float) -> Floats:
    """Return a walk of `points` steps that begins and ends at zero; `spread` is the deviation of the whole."""
    walk = np.zeros(points + 1)
    np.cumsum(source.standard_normal(points) * (spread / math.sqrt(points)), out=walk[1:])
    walk -= walk[-1] * _ramp(points)
    return walk
