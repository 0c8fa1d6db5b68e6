"""Input and output of the exchanges' REST doors. No answer holds a secret."""

from typing import Any

from rest_framework import serializers

from apps.core.api.strict import StrictSerializer
from apps.core.api.time_fields import TimeField
from apps.exchanges.actions.connecting import MOST_HINTS
from apps.exchanges.actions.parting import History
from apps.exchanges.domain.coverage import CoverageState
from apps.exchanges.domain.guarding import Caution, StepCode
from apps.exchanges.domain.reading import KeyRights
from apps.exchanges.models import ConnectionState, SyncRun, SyncTrigger
from apps.exchanges.models.connections import LONGEST_LABEL
from apps.exchanges.queries.standings import SYNCING, TOLD_STATES, Standing, told_state

Values = dict[str, Any]
_LONGEST_KEY = 8_000
_LONGEST_HINT = 40
CONNECTION_STATES = [*ConnectionState.values, SYNCING]
RUN_STATES = list(dict.fromkeys(TOLD_STATES.values()))


def _secret(**options: Any) -> serializers.CharField:  # noqa: ANN401 - the field's options
    return serializers.CharField(max_length=_LONGEST_KEY, trim_whitespace=False, write_only=True, **options)


# --- In ---------------------------------------------------------------------------------------------------------------
class WishSerializer(StrictSerializer[Values]):
    """A key to try, or to connect."""

    exchange = serializers.CharField(max_length=32, help_text="An id of `exchanges/supported`.")
    api_key = _secret()
    api_secret = _secret()
    passphrase = _secret(required=False, allow_null=True, allow_blank=True, help_text="Where the exchange has one.")
    label = serializers.CharField(max_length=LONGEST_LABEL, required=False, allow_blank=True, default="")  # type: ignore[assignment]  # a field
    portfolio = serializers.UUIDField(
        required=False, allow_null=True, default=None, help_text="Null: your default portfolio."
    )
    account = serializers.UUIDField(
        required=False,
        allow_null=True,
        default=None,
        help_text="The account of the portfolio that is filled. Null: the one that it filled before, or a new one.",
    )
    hints = serializers.ListField(
        child=serializers.CharField(max_length=_LONGEST_HINT),
        max_length=MOST_HINTS,
        required=False,
        default=list,
        help_text="Coins or pairs that you have traded, for exchanges that tell trades only pair by pair.",
    )
    history_from = TimeField(required=False, allow_null=True, default=None)


class ChangeSerializer(StrictSerializer[Values]):
    """What may be changed of a connection. A new key has to be of the same account at the exchange."""

    label = serializers.CharField(max_length=LONGEST_LABEL, required=False)  # type: ignore[assignment]  # a field
    paused = serializers.BooleanField(required=False)
    hints = serializers.ListField(
        child=serializers.CharField(max_length=_LONGEST_HINT), max_length=MOST_HINTS, required=False
    )
    api_key = _secret(required=False)
    api_secret = _secret(required=False)
    passphrase = _secret(required=False, allow_null=True, allow_blank=True)


class HistorySerializer(serializers.Serializer[Values]):
    """What becomes of the entries that were read."""

    history = serializers.ChoiceField(choices=[one.value for one in History], default=History.KEEP.value)


# --- Out --------------------------------------------------------------------------------------------------------------
class OfferSerializer(serializers.Serializer[Any]):
    """An exchange that can be connected."""

    id = serializers.CharField(source="exchange")
    name = serializers.CharField()
    certified = serializers.BooleanField(help_text="Read by code of its own, tested against the exchange's answers.")
    fields_of_key = serializers.ListField(child=serializers.CharField(), source="fields")
    limits = serializers.ListField(child=serializers.CharField(), help_text="What cannot be read there, in codes.")
    simulated = serializers.BooleanField(source="is_simulated")


class RightsSerializer(serializers.Serializer[KeyRights]):
    """What a key may do; null where the exchange does not tell."""

    read = serializers.BooleanField(allow_null=True)
    trade = serializers.BooleanField(allow_null=True)
    transfer = serializers.BooleanField(allow_null=True)
    withdraw = serializers.BooleanField(allow_null=True)
    bound_to_addresses = serializers.BooleanField(allow_null=True, source="is_bound_to_addresses")
    expires_at_ms = serializers.IntegerField(allow_null=True)
    unknown = serializers.ListField(child=serializers.CharField(), help_text="Rights that we do not know.")


class StepSerializer(serializers.Serializer[Any]):
    """One step of trying a key."""

    code = serializers.ChoiceField(choices=[one.value for one in StepCode])
    ok = serializers.BooleanField()
    detail = serializers.CharField()


class TestedSerializer(serializers.Serializer[Any]):
    """How a key did. Steps after the first that failed were not tried."""

    ok = serializers.BooleanField()
    steps = StepSerializer(many=True)
    rights = RightsSerializer()


class ProblemSerializer(serializers.Serializer[Any]):
    """What is wrong, and what can be done about it."""

    code = serializers.CharField()
    detail = serializers.CharField()


class RunSerializer(serializers.Serializer[SyncRun]):
    """One sync."""

    id = serializers.UUIDField()
    state = serializers.SerializerMethodField()
    trigger = serializers.ChoiceField(choices=SyncTrigger.values)
    created_at = TimeField()
    started_at = TimeField(allow_null=True)
    finished_at = TimeField(allow_null=True)
    fetched = serializers.IntegerField()
    posted = serializers.IntegerField()
    duplicates = serializers.IntegerField()
    requests = serializers.IntegerField()
    problems = serializers.SerializerMethodField()
    progress = serializers.SerializerMethodField()

    def get_state(self, run: SyncRun) -> str:
        """Return the state in the words of the API."""
        return told_state(run=run)

    def get_problems(self, run: SyncRun) -> list[dict[str, str]]:
        """Return what was wrong with the run itself, and with streams and rows of it."""
        own = [{"code": run.problem_code, "detail": run.problem_detail}] if run.problem_code else []
        return [*own, *run.problems]

    def get_progress(self, run: SyncRun) -> str:
        """Return how much is done, from 0 to 1."""
        return f"{run.progress.normalize():f}"


class StreamSerializer(serializers.Serializer[Any]):
    """How far one kind of rows is known."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Return the fields; `from` is a word of Python."""
        return {
            "stream": serializers.CharField(),
            "symbol": serializers.CharField(),
            "from": TimeField(source="from_at", allow_null=True),
            "to": TimeField(source="to_at", allow_null=True),
            "state": serializers.ChoiceField(choices=[one.value for one in CoverageState]),
            "rows": serializers.IntegerField(),
            "problem_code": serializers.CharField(),
            "problem_detail": serializers.CharField(),
        }


class CoverageSerializer(serializers.Serializer[Standing]):
    """How complete the history is."""

    state = serializers.ChoiceField(choices=[one.value for one in CoverageState], source="coverage")
    progress = serializers.DecimalField(max_digits=5, decimal_places=4, normalize_output=True)
    seconds_left = serializers.SerializerMethodField()
    streams = StreamSerializer(many=True)

    def get_seconds_left(self, standing: Standing) -> int | None:
        """Return about how long the open run takes on."""
        left = standing.time_left
        return None if left is None else int(left.total_seconds())


class ConnectionSerializer(serializers.Serializer[Standing]):
    """A connection with an exchange."""

    id = serializers.UUIDField(source="connection.pk")
    exchange = serializers.CharField(source="connection.exchange")
    label = serializers.CharField(source="connection.label")  # type: ignore[assignment]  # a field
    portfolio = serializers.UUIDField(source="connection.portfolio_id")
    account = serializers.UUIDField(source="connection.account_id")
    account_name = serializers.CharField(source="connection.account.name")
    state = serializers.ChoiceField(choices=CONNECTION_STATES)
    problem = serializers.SerializerMethodField()
    certified = serializers.BooleanField(source="connection.certified")
    simulated = serializers.BooleanField(source="connection.is_simulated")
    rights = RightsSerializer()
    rights_checked_at = TimeField(source="connection.rights_checked_at", allow_null=True)
    cautions = serializers.ListField(child=serializers.ChoiceField(choices=[one.value for one in Caution]))
    key_hint = serializers.CharField(source="connection.key_hint")
    key_changed_at = TimeField(source="connection.key_changed_at")
    key_used_at = TimeField(source="connection.last_used_at", allow_null=True)
    hints = serializers.ListField(child=serializers.CharField(), source="connection.hints")
    history_from = TimeField(source="connection.history_from", allow_null=True)
    coverage = CoverageSerializer(source="*")
    last_run = RunSerializer(allow_null=True)
    next_run_at = TimeField(source="connection.next_run_at", allow_null=True)
    created_at = TimeField(source="connection.created_at")

    def get_problem(self, standing: Standing) -> dict[str, str] | None:
        """Return what needs the owner, if anything does."""
        held = standing.connection
        return {"code": held.problem_code, "detail": held.problem_detail} if held.problem_code else None


class QueuedSerializer(serializers.Serializer[Any]):
    """The run that was asked for."""

    run = serializers.UUIDField()


class QueuedAllSerializer(serializers.Serializer[Any]):
    """The runs that were asked for."""

    runs = serializers.ListField(child=serializers.UUIDField())


class ForgottenSerializer(serializers.Serializer[Any]):
    """How many keys were forgotten."""

    connections = serializers.IntegerField()
    secrets = serializers.IntegerField()
