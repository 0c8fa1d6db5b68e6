"""A long list in parts: one part on the screen, how many there are in all, and which parts stand around it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

_T = TypeVar("_T")
_U = TypeVar("_U")


@dataclass(frozen=True, slots=True)
class Part(Generic[_T]):
    """Some rows of a list, the number of their part from 1 on, and the count of all rows."""

    rows: tuple[_T, ...]
    number: int
    total: int
    length: int

    def __bool__(self) -> bool:
        return bool(self.rows)

    def __iter__(self) -> Iterator[_T]:
        return iter(self.rows)

    @property
    def first(self) -> int:
        """Return the place of its first row, counted from 1."""
        return (self.number - 1) * self.length + 1

    @property
    def last(self) -> int:
        """Return the place of its last row."""
        return self.first + len(self.rows) - 1

    @property
    def before(self) -> int | None:
        """Return the number of the part before it."""
        return self.number - 1 if self.number > 1 else None

    @property
    def after(self) -> int | None:
        """Return the number of the part after it."""
        return self.number + 1 if self.last < self.total else None

    def of(self, rows: Sequence[_U]) -> "Part[_U]":
        """Return the same part with other rows in the places of these."""
        return Part(tuple(rows), self.number, self.total, self.length)


def page_asked(*, text: str) -> int:
    """Return the number of a part that an address asks for; 1 where it makes no sense."""
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) <= 6 else 1


def part_of(*, rows: Sequence[_T], number: int, length: int) -> Part[_T]:
    """Return one part of rows that are all at hand; of a number behind the end the last one."""
    number = number_within(number=number, total=len(rows), length=length)
    start = (number - 1) * length
    return Part(tuple(rows[start : start + length]), number, len(rows), length)


def number_within(*, number: int, total: int, length: int) -> int:
    """Return the number of a part, or of the last one."""
    return min(number, max(1, -(-total // length)))
