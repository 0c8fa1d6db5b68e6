"""Invented values for the components page, so that every part is seen with every state."""

from decimal import Decimal
from typing import Final

TOKENS: Final = {
    "Surfaces": ("bg", "surface", "surface-2", "surface-3", "line", "line-2", "line-ctl"),
    "Ink and brand": ("ink", "ink-2", "ink-3", "accent", "accent-soft", "focus"),
    "Direction": ("gain", "gain-soft", "gain-mid", "loss", "loss-soft", "loss-mid"),
    "State": ("ok", "warn", "bad", "info", "ok-soft", "warn-soft", "bad-soft"),
}
ICONS: Final = (
    "grid", "candles", "pie", "tx", "plug", "tray", "scale", "doc", "bell", "gauge", "star", "search", "sun", "moon",
    "auto", "eye", "eyeoff", "check", "x", "warn", "info", "clock", "sync", "pause", "dots", "plus", "chev", "right",
    "in", "out", "swap", "gift", "key", "lock", "shield", "undo", "down", "print", "filter", "user", "people",
    "more", "link", "finger", "db", "copy", "leave", "mail", "phone", "screen", "sliders", "keyboard", "code",
    "wrench", "trash", "open", "ticket", "mark",
)  # fmt: skip
COINS: Final = ("BTC", "ETH", "SOL", "USDC", "LINK", "ADA", "DOT", "ATOM", "EURX", "KCS", "PEPE")
STATES: Final = ("queued", "running", "waiting", "succeeded", "failed", "parked", "cancelled")
BUTTONS: Final = (("btn--primary", "Primary"), ("", "Default"), ("btn--ghost", "Ghost"), ("btn--danger", "Danger"))
STEPS: Final = (
    {"name": "Balances, 11 coins", "state": "done", "time": "1.2 s"},
    {"name": "Trades, 18,400 of about 30,200", "state": "now", "time": "40 s left"},
    {"name": "Compare with the exchange", "state": "", "time": "waits"},
)
FAILED_STEPS: Final = (
    {"name": "Rights: this key can withdraw", "state": "fail", "time": "0.3 s", "note": "Nothing was stored."},
)
ROWS: Final = (
    {"code": "BTC", "name": "Bitcoin", "held": "1.2481", "price": Decimal("71842.10"), "day": Decimal("0.0118"),
     "value": Decimal("89666.13"), "gain": Decimal("21311.25")},
    {"code": "ETH", "name": "Ethereum", "held": "14.2035", "price": Decimal("3412.55"), "day": Decimal("-0.0064"),
     "value": Decimal("48470.15"), "gain": Decimal("13158.83")},
    {"code": "USDC", "name": "USD Coin", "held": "12480.22", "price": Decimal("0.9998"), "day": Decimal(0),
     "value": Decimal("12477.72"), "gain": Decimal("-2.50")},
)  # fmt: skip
CHANGES: Final = (Decimal("0.0241"), Decimal("-0.0108"), Decimal(0))


def everything() -> dict[str, object]:
    """Return all samples under the names that the page uses."""
    return {
        "tokens": TOKENS,
        "icons": ICONS,
        "coins": COINS,
        "states": STATES,
        "buttons": BUTTONS,
        "steps": STEPS,
        "failed_steps": FAILED_STEPS,
        "rows": ROWS,
        "changes": CHANGES,
        "hero": Decimal("185532.59"),
        "gain": Decimal("1204.11"),
        "loss": Decimal("-88.40"),
        "recovery_codes": ("4f2c9a1b", "77e0d3c5", "b8a61f02", "0c9d4e7a", "e51b60f3", "92ad7c48"),
    }
