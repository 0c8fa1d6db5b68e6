"""What can be wrong with a file or a line of it, as values with a stable code and a sentence."""

from typing import Final, NamedTuple

_SHOWN: Final = 60


class ImportRefusedError(ValueError):
    """The file as a whole cannot be read; `code` is stable, `message` says what to do."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.message = message
        super().__init__(message)


class LineError(ValueError):
    """One line cannot be read; the rest of the file can."""

    def __init__(self, code: str, message: str, *, field: str = "") -> None:
        self.code = code
        self.message = message
        self.field = field
        super().__init__(message)


class Problem(NamedTuple):
    """Why a line was not read: a stable code, a sentence, and the column if one is to blame."""

    code: str
    message: str
    field: str = ""


def quoted(text: str) -> str:
    """Return a cell as it may stand in a sentence: one line, printable, short."""
    clean = "".join(sign if sign.isprintable() else " " for sign in text[: _SHOWN + 1]).strip()
    return f'"{clean[:_SHOWN]}…"' if len(clean) > _SHOWN else f'"{clean}"'
