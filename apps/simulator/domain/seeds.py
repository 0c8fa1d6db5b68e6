"""Randomness by name: the same seed and words give the same numbers, whatever was asked for before."""

import hashlib

import numpy as np

Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
Ints = np.ndarray[tuple[int, ...], np.dtype[np.int64]]

_CHUNK = 256


def digest(seed: int, *words: object) -> bytes:
    """Return 32 bytes that belong to a seed and some words."""
    text = "\x1f".join((str(seed), *map(str, words)))
    return hashlib.blake2b(text.encode(), digest_size=32).digest()


def number(seed: int, *words: object) -> int:
    """Return a whole number of 64 bits that belongs to a seed and some words."""
    return int.from_bytes(digest(seed, *words)[:8], "big")


def generator(seed: int, *words: object) -> np.random.Generator:
    """Return a source of random numbers that belongs to a seed and some words."""
    return np.random.Generator(np.random.Philox(key=int.from_bytes(digest(seed, *words)[:16], "big")))


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


def bridge(source: np.random.Generator, points: int, spread: Floats | float) -> Floats:
    """Return a walk of `points` steps that begins and ends at zero; `spread` is the deviation of the whole."""
    walk = np.zeros(points + 1)
    np.cumsum(source.standard_normal(points) * (spread / np.sqrt(points)), out=walk[1:])
    return walk - np.linspace(0.0, walk[-1], points + 1)
