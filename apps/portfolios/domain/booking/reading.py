"""Reading a portable file piece by piece: numbers as they are written, no repeated keys, one item at a time."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from json.scanner import make_scanner
from types import NoneType
from typing import Any, Final

import orjson

from apps.portfolios.domain.transactions import JsonNumber

TRANSACTIONS: Final = "transactions"
_LONGEST_ITEM: Final = 1 << 26
_SPACE: Final = re.compile(r"[ \t\n\r]*")
_SHOWN: Final = 40
_OBJECTS: Final = {dict}
_PLAIN: Final = {str, int, NoneType}
#: A line of text begins here, and not the bytes of a picture or a packed file.
_TEXT: Final = re.compile(r"[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffd]{1,40}\Z")


class UnreadableError(ValueError):
    """A text that is no portable file at all; the message says what is wrong in one sentence."""


class Repeated:
    """Stands for an object that names a key twice."""

    __slots__ = ("key", "values")

    def __init__(self, pairs: list[tuple[str, object]]) -> None:
        names = [name for name, _ in pairs]
        self.key = next(name for name in names if names.count(name) > 1)
        self.values = dict(pairs)


class Document:
    """A portable file that is being read: `transactions` one by one, everything else afterwards in `rest`."""

    def __init__(self, chunks: Iterable[str]) -> None:
        self.rest: dict[str, object] = {}
        self._chunks = iter(chunks)
        self._text = ""
        self._at = 0
        self._ended = False
        self._tried = False
        self._scan: Callable[[str, int], tuple[object, int]] = make_scanner(_decoder())  # type: ignore[arg-type]

    def transactions(self) -> Iterator[object]:
        """Go through the transactions; what else the file holds is known when this has ended."""
        try:
            yield from self._items() if self._look() == "[" else self._members()
            if self._look():
                raise _broken("there is more after its end")
        except RecursionError as error:
            raise _broken("it is nested too deeply") from error

    def _members(self) -> Iterator[object]:
        self._expect("{")
        found = False
        if self._accept("}"):
            raise _broken("it has no list of transactions")
        while True:
            key = self._value()
            if not isinstance(key, str) or isinstance(key, JsonNumber):
                raise _broken("a name was expected")
            self._expect(":")
            if key in self.rest or (found and key == TRANSACTIONS):
                raise _broken(f"it names {key!r} twice")
            if key == TRANSACTIONS:
                found = True
                yield from self._items()
            else:
                self.rest[key] = self._value()
            if not self._accept(","):
                break
        self._expect("}")
        if not found:
            raise _broken("it has no list of transactions")

    def _items(self) -> Iterator[object]:
        self._expect("[")
        if self._accept("]"):
            return
        while True:
            for many in iter(self._many, None):
                yield from many
            yield self._value()
            if not self._accept(","):
                break
        self._expect("]")

    def _many(self) -> list[object] | None:
        """Read all items up to the last comma in sight at once, if that is a comma between two items."""
        cut = self._text.rfind("},", self._at)
        if cut < 0 or self._tried:
            return None
        batch = f"[{self._text[self._at : cut + 1]}]"
        items = plain_items(batch)
        if items is None:
            items = self._scanned(batch)
        if items is None:
            self._tried = True
        else:
            self._at = cut + 2
        return items

    def _scanned(self, batch: str) -> list[object] | None:
        try:
            items, end = self._scan(batch, 0)
        except json.JSONDecodeError:
            return None
        return items if end == len(batch) and isinstance(items, list) else None

    def _value(self) -> object:
        self._look()
        while True:
            try:
                value, end = self._scan(self._text, self._at)
            except (json.JSONDecodeError, StopIteration) as error:
                if len(self._text) - self._at > _LONGEST_ITEM or not self._more():
                    raise _broken(f"it is no JSON {self._place()}") from error
                continue
            if end == len(self._text) and self._more():
                continue
            self._at = end
            return value

    def _look(self) -> str:
        """Return the next character that is no space, and nothing at the end."""
        while True:
            match = _SPACE.match(self._text, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def _accept(self, character: str) -> bool:
        if self._look() != character:
            return False
        self._at += 1
        return True

    def _expect(self, character: str) -> None:
        if not self._accept(character):
            raise _broken(f"{character!r} was expected {self._place()}")

    def _place(self) -> str:
        """Say where the text goes wrong, by what is readable there."""
        piece = self._text[self._at : self._at + _SHOWN]
        if not piece:
            return "at its end"
        words = piece.split() if _TEXT.match(piece) else []
        return f"near {words[0]!r}" if words else "near something that is no text"

    def _more(self) -> bool:
        """Read on, as much again as is waiting; tell whether there was anything."""
        if self._ended:
            return False
        pieces = [self._text[self._at :]]
        waiting = len(pieces[0])
        fresh = 0
        while fresh <= waiting:
            piece = next(self._chunks, None)
            if piece is None:
                self._ended = True
                break
            pieces.append(piece)
            fresh += len(piece)
        self._text, self._at, self._tried = "".join(pieces), 0, False
        return fresh > 0


def plain_items(batch: str) -> list[object] | None:
    """Return the objects of a list by the quick reader where it reads no other than the careful one, else nothing.

    The quick reader makes floats of numbers and lets the last of two equal keys win. So numbers may stand nowhere but
    as whole ones under `ts`, and all quotation marks must be those of the keys and texts that were found.
    """
    if "\\" in batch:
        return None
    try:
        items: list[Any] = orjson.loads(batch)
    except orjson.JSONDecodeError:
        return None
    if set(map(type, items)) != _OBJECTS:
        return None
    kinds = Counter(map(type, chain.from_iterable(map(dict.values, items))))
    if not kinds.keys() <= _PLAIN or batch.count('"') != 2 * (kinds.total() + kinds[str]):
        return None
    if kinds[int] and kinds[int] != sum(type(item.get("ts")) is int for item in items):
        return None
    return items


def read_value(text: str) -> object:
    """Return the one value that a text holds, by the same rules."""
    document = Document([text])
    try:
        value = document._value()  # noqa: SLF001 - the same reader, for a file of one value
        if document._look():  # noqa: SLF001 - as above
            raise _broken("there is more after its end")
    except RecursionError as error:
        raise _broken("it is nested too deeply") from error
    return value


def _decoder() -> json.JSONDecoder:
    return json.JSONDecoder(
        object_pairs_hook=_object, parse_float=JsonNumber, parse_int=JsonNumber, parse_constant=JsonNumber
    )


def _object(pairs: list[tuple[str, object]]) -> object:
    values = dict(pairs)
    return values if len(values) == len(pairs) else Repeated(pairs)


def _broken(reason: str) -> UnreadableError:
    return UnreadableError(f"The file cannot be read: {reason}.")
