"""Names, codes and remarks in one spelling: Unicode's composed form, no space around them, nothing that hides.

A character that cannot be seen makes two names that look alike, and one that turns the direction of writing makes a
name look like another one. So names and ids that hold such a character are refused; a remark just loses it.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Final

_KEPT: Final = 8_192
_CONTROL: Final = r"\x00-\x1f\x7f-\x9f"
_TURNING: Final = r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_UNSEEN: Final = r"\u00ad\u180e\u200b\u2028\u2029\u2060-\u2064\ufeff\ufff9-\ufffb"
_HIDDEN: Final = re.compile(rf"[{_CONTROL}{_TURNING}{_UNSEEN}]")
_LINE_ENDS: Final = re.compile(r"[\t\n\v\f\r\x85\u2028\u2029]+")


class UnfitNameError(ValueError):
    """A text that cannot be a name; `message` says what to change, after the name of its field."""

    code = "name_invalid"

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__(message)


@lru_cache(maxsize=_KEPT)
def name_of(text: str) -> str:
    """Return a name in its one spelling, or raise `UnfitNameError`; of only white space nothing is left."""
    bare = text.strip()
    if bare.isascii() and bare.isprintable() and "  " not in bare:
        return bare
    _refuse_hidden(bare)
    return " ".join(unicodedata.normalize("NFC", bare).split())


@lru_cache(maxsize=_KEPT)
def code_of(text: str) -> str:
    """Return the code of an asset in its one spelling, or raise `UnfitNameError`; it holds no space and no slash."""
    code = name_of(text)
    if " " in code or "/" in code:
        raise UnfitNameError("is a code without spaces and slashes, such as BTC.")
    if code and not code.strip("."):
        raise UnfitNameError("is a code such as BTC, not dots alone.")
    return code


def id_of(text: str) -> str:
    """Return an id as its source wrote it, without space around it, or raise `UnfitNameError`."""
    bare = text.strip()
    if not (bare.isascii() and bare.isprintable()):
        _refuse_hidden(bare)
    return bare


def remark_of(text: str) -> str:
    """Return a remark on one line, without what cannot be seen."""
    bare = text.strip()
    if bare.isascii() and bare.isprintable():
        return bare
    return unicodedata.normalize("NFC", _HIDDEN.sub("", _LINE_ENDS.sub(" ", bare))).strip()


def shown(text: str, *, longest: int = 40) -> str:
    """Return the beginning of a text that somebody sent, fit to be shown in a sentence."""
    seen = "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text[: longest + 1])
    return seen if len(text) <= longest else f"{seen[:longest]}\N{HORIZONTAL ELLIPSIS}"


def _refuse_hidden(text: str) -> None:
    found = _HIDDEN.search(text)
    if found is not None:
        code = f"U+{ord(found.group()):04X}"
        raise UnfitNameError(f"holds a character that cannot be seen ({code}). Remove it.")
