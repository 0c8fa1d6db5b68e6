"""Input and output of the markets' REST doors."""

from typing import Any

from rest_framework import serializers

from apps.core.api.fields import AmountSerializerField
from apps.core.api.time_fields import RangeSerializer, TimeField
from apps.markets.domain.instruments import VENUES
from apps.markets.domain.timeframes import Timeframe
from apps.markets.models.candles import QuarantineState
from apps.markets.models.catalogue import AssetKind

Values = dict[str, Any]
_LONGEST_CODE = 32
_LONGEST_SEARCH = 80


# --- Assets -----------------------------------------------------------------------------------------------------------
class AssetQuerySerializer(serializers.Serializer[Values]):
    """What of the assets is wanted."""

    search = serializers.CharField(max_length=_LONGEST_SEARCH, required=False, default="")
    kind = serializers.ChoiceField(choices=AssetKind.choices, required=False, default="")


class AssetSerializer(serializers.Serializer[Any]):
    """An asset."""

    symbol = serializers.CharField(read_only=True)
    name = serializers.CharField(read_only=True)
    kind = serializers.ChoiceField(choices=AssetKind.choices, read_only=True)
    peg = serializers.CharField(read_only=True, help_text="The currency that a stablecoin is meant to be worth.")
    digits = serializers.IntegerField(read_only=True)
    active = serializers.BooleanField(source="is_active", read_only=True)


class RateStepSerializer(serializers.Serializer[Any]):
    """One conversion on the way from one asset to another."""

    instrument = serializers.CharField(read_only=True)
    inverse = serializers.BooleanField(read_only=True)
    price = AmountSerializerField(read_only=True)
    source = serializers.CharField(read_only=True)  # type: ignore[assignment]  # a field of that name
    ts = serializers.IntegerField(read_only=True)
    age_ms = serializers.IntegerField(read_only=True)


class RateSerializer(serializers.Serializer[Any]):
    """What one of an asset is worth in another."""

    source = serializers.CharField(read_only=True)  # type: ignore[assignment]  # a field of that name
    target = serializers.CharField(read_only=True)
    at = TimeField(read_only=True)
    value = AmountSerializerField(read_only=True, allow_null=True)
    state = serializers.ChoiceField(choices=["priced", "pending", "unpriced"], read_only=True)
    reason = serializers.CharField(read_only=True, help_text="Why there is no value, in a word that stays the same.")
    path = RateStepSerializer(many=True, read_only=True)
    sources = serializers.ListField(child=serializers.CharField(), read_only=True)
    ts = serializers.IntegerField(read_only=True, allow_null=True)
    age_ms = serializers.IntegerField(read_only=True, allow_null=True)
    simulated = serializers.BooleanField(read_only=True)


class RateQuerySerializer(serializers.Serializer[Values]):
    """From which asset to which, and when."""

    source = serializers.CharField(max_length=_LONGEST_CODE)  # type: ignore[assignment]  # a field of that name
    target = serializers.CharField(max_length=_LONGEST_CODE)
    at = TimeField(required=False)


# --- Instruments ------------------------------------------------------------------------------------------------------
class InstrumentQuerySerializer(serializers.Serializer[Values]):
    """Which instruments are wanted."""

    venue = serializers.ChoiceField(choices=list(VENUES), required=False, default="")
    base = serializers.CharField(max_length=_LONGEST_CODE, required=False, default="")
    quote = serializers.CharField(max_length=_LONGEST_CODE, required=False, default="")
    active = serializers.BooleanField(required=False, allow_null=True, default=None)
    search = serializers.CharField(max_length=_LONGEST_SEARCH, required=False, default="")


class InstrumentSerializer(serializers.Serializer[Any]):
    """An instrument: a pair on a venue."""

    instrument = serializers.CharField(source="name", read_only=True)
    venue = serializers.CharField(read_only=True)
    base = serializers.CharField(source="name.base", read_only=True)
    quote = serializers.CharField(source="name.quote", read_only=True)
    active = serializers.BooleanField(read_only=True)
    simulated = serializers.BooleanField(read_only=True)
    venue_symbol = serializers.CharField(read_only=True)
    price_digits = serializers.IntegerField(read_only=True)
    amount_digits = serializers.IntegerField(read_only=True)
    volume_24h = AmountSerializerField(read_only=True, allow_null=True)
    first_seen_at = TimeField(read_only=True)
    last_seen_at = TimeField(read_only=True)
    vanished_at = TimeField(read_only=True, allow_null=True)


class AssetDetailSerializer(AssetSerializer):
    """An asset with its price and the instruments that trade it."""

    also_known_as = serializers.ListField(child=serializers.CharField(), read_only=True)
    price = RateSerializer(read_only=True)
    instrument = serializers.CharField(read_only=True, allow_null=True, help_text="The largest one; changes are its.")
    change_1h = AmountSerializerField(read_only=True, allow_null=True)
    change_24h = AmountSerializerField(read_only=True, allow_null=True)
    change_7d = AmountSerializerField(read_only=True, allow_null=True)
    instruments = InstrumentSerializer(many=True, read_only=True)


class MergeSerializer(serializers.Serializer[Values]):
    """What an asset becomes a part of."""

    into = serializers.CharField(max_length=_LONGEST_CODE)


class AssetCodeSerializer(serializers.Serializer[Any]):
    """What a venue or a chain calls an asset; the place "" is every venue."""

    place = serializers.CharField(max_length=32, allow_blank=True)
    code = serializers.CharField(max_length=120)
    until = TimeField(required=False, allow_null=True, default=None, source="until_at")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Add `from`, which Python keeps for itself."""
        return {**super().get_fields(), "from": TimeField(required=False, allow_null=True, source="from_at")}


class CurrencyQuerySerializer(serializers.Serializer[Values]):
    """In which currency; the person's own when it is not said."""

    currency = serializers.CharField(max_length=_LONGEST_CODE, required=False, default="")


class TickersQuerySerializer(serializers.Serializer[Values]):
    """Which tickers are wanted."""

    instruments = serializers.ListField(child=serializers.CharField(max_length=100), help_text="Separated by commas.")


class TickerSerializer(serializers.Serializer[Any]):
    """The newest price of an instrument; `price` and what belongs to it is null before the first one."""

    instrument = serializers.CharField(read_only=True)
    price = AmountSerializerField(read_only=True, allow_null=True)
    change_24h = AmountSerializerField(read_only=True, allow_null=True)
    volume_24h = AmountSerializerField(read_only=True, allow_null=True)
    ts = serializers.IntegerField(read_only=True, allow_null=True)
    source = serializers.CharField(read_only=True, allow_null=True)  # type: ignore[assignment]  # a field of that name
    age_ms = serializers.IntegerField(read_only=True, allow_null=True)
    stale = serializers.BooleanField(read_only=True)
    simulated = serializers.BooleanField(read_only=True)


# --- Watchlists -------------------------------------------------------------------------------------------------------
class WatchlistItemSerializer(serializers.Serializer[Any]):
    """One instrument on a list."""

    id = serializers.UUIDField(read_only=True)
    instrument = serializers.CharField(max_length=82)
    note = serializers.CharField(max_length=500, required=False, allow_blank=True, default="")
    position = serializers.IntegerField(read_only=True)
    created_at = TimeField(read_only=True)


class NoteSerializer(serializers.Serializer[Values]):
    """A note beside an instrument."""

    note = serializers.CharField(max_length=500, allow_blank=True)


class WatchlistSerializer(serializers.Serializer[Any]):
    """A list of instruments."""

    id = serializers.UUIDField(read_only=True)
    name = serializers.CharField(max_length=80)
    position = serializers.IntegerField(read_only=True)
    created_at = TimeField(read_only=True)
    items = WatchlistItemSerializer(source="items.all", many=True, read_only=True)


class OrderSerializer(serializers.Serializer[Values]):
    """An order: ids, the first first; those not named follow as they stood."""

    ids = serializers.ListField(child=serializers.UUIDField(), min_length=1, max_length=500)


# --- Candles ----------------------------------------------------------------------------------------------------------
class CandlesQuerySerializer(RangeSerializer):
    """Which candles are wanted."""

    instrument = serializers.CharField(max_length=100, help_text="Such as `binance:BTC/USDT`.")
    timeframe = serializers.ChoiceField(choices=[one.value for one in Timeframe])
    limit = serializers.IntegerField(min_value=1, max_value=5_000, required=False, default=500)


class CandleField(serializers.ListField):
    """One candle: open time in milliseconds, open, high, low, close, volume."""

    child = serializers.FloatField()


class CandlesSerializer(serializers.Serializer[Any]):
    """Closed candles, oldest first; described here, written by the view itself."""

    instrument = serializers.CharField(read_only=True)
    timeframe = serializers.ChoiceField(choices=[one.value for one in Timeframe], read_only=True)
    results = serializers.ListField(child=CandleField(), read_only=True)
    open_candle = CandleField(read_only=True, allow_null=True)
    next = serializers.URLField(read_only=True, allow_null=True, help_text="Where the following candles are.")
    previous = serializers.URLField(read_only=True, allow_null=True, help_text="Where the candles before these are.")
    pending = serializers.BooleanField(read_only=True, help_text="History is being fetched; ask again in a moment.")
    made_from = serializers.ListField(
        child=serializers.CharField(), read_only=True, help_text="The timeframes that these were read from."
    )
    gaps = serializers.ListField(
        child=serializers.ListField(child=serializers.IntegerField()),
        read_only=True,
        help_text="Times from and to, between the results, of which there is no candle.",
    )


class SeriesQualitySerializer(serializers.Serializer[Any]):
    """How good one timeframe of an instrument is."""

    timeframe = serializers.CharField(read_only=True)
    first_ts = serializers.IntegerField(read_only=True)
    last_ts = serializers.IntegerField(read_only=True)
    count = serializers.IntegerField(read_only=True)
    missing = serializers.IntegerField(read_only=True)
    completeness = serializers.FloatField(read_only=True, help_text="Which part of the time has candles, up to 1.")
    built = serializers.IntegerField(read_only=True, help_text="Built from live prices, not confirmed yet.")
    revised = serializers.IntegerField(read_only=True)
    revised_at = TimeField(read_only=True, allow_null=True)
    quarantined = serializers.IntegerField(read_only=True)
    pending = serializers.BooleanField(read_only=True)


class QuarantineQuerySerializer(serializers.Serializer[Values]):
    """Which quarantined candles are wanted."""

    state = serializers.ChoiceField(choices=QuarantineState.choices, required=False, default="")
    instrument = serializers.CharField(max_length=100, required=False, default="")


class QuarantinedSerializer(serializers.Serializer[Any]):
    """A candle that the gate kept out."""

    id = serializers.UUIDField(read_only=True)
    instrument = serializers.CharField(source="series.instrument.name", read_only=True)
    timeframe = serializers.CharField(source="series.timeframe", read_only=True)
    ts = serializers.IntegerField(read_only=True)
    raw = serializers.ListField(child=serializers.CharField(), read_only=True)
    code = serializers.CharField(read_only=True)
    source = serializers.CharField(  # type: ignore[assignment]  # the word that the API uses, as the field's own
        read_only=True, help_text="venue, built, imported or released"
    )
    origin = serializers.CharField(read_only=True, help_text="File and line, where it came from a file.")
    state = serializers.ChoiceField(choices=QuarantineState.choices, read_only=True)
    found_at = TimeField(read_only=True)
    seen_at = TimeField(read_only=True)
    seen_count = serializers.IntegerField(read_only=True)
    settled_at = TimeField(read_only=True, allow_null=True)
