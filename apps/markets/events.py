"""What happens in the markets."""

from dataclasses import dataclass

from apps.core.events import Event


@dataclass(frozen=True, kw_only=True)
class CandleClosed(Event):
    """A candle at the live edge is stored and will not change, unless its venue corrects it."""

    instrument: str
    timeframe: str
    ts: int
