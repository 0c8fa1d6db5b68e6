"""Health and the console as programs read them."""

from rest_framework import serializers

from apps.core.api.fields import AmountSerializerField
from apps.core.api.time_fields import TimeField
from apps.core.models import WorkState


class StateSerializer(serializers.Serializer[object]):
    """One word."""

    status = serializers.CharField()


class StartupSerializer(StateSerializer):
    """Whether every enabled process has answered."""

    missing = serializers.ListField(child=serializers.CharField())


class ProcessHealthSerializer(serializers.Serializer[object]):
    """One enabled process and when it was last heard."""

    name = serializers.CharField()
    state = serializers.ChoiceField(["alive", "late", "missing"])
    version = serializers.CharField()
    started_at = TimeField(allow_null=True)
    last_seen_at = TimeField(allow_null=True)


class PriceSourceSerializer(serializers.Serializer[object]):
    """One venue's stream of prices."""

    venue = serializers.CharField()
    state = serializers.ChoiceField(["connected", "reconnecting", "silent", "off"])
    instruments = serializers.IntegerField()
    last_message_at = TimeField(allow_null=True)


class HealthSerializer(serializers.Serializer[object]):
    """All of it in detail."""

    status = serializers.ChoiceField(["ok", "degraded", "down"])
    version = serializers.CharField()
    database = serializers.ChoiceField(["ok", "down"])
    migrations = serializers.ChoiceField(["ok", "pending", "unknown"])
    redis = serializers.ChoiceField(["ok", "down"])
    processes = ProcessHealthSerializer(many=True)
    features = serializers.DictField(child=serializers.CharField())
    prices = PriceSourceSerializer(many=True)


class QueueSerializer(serializers.Serializer[object]):
    """One queue of the broker; `waiting` is null while the broker is away."""

    name = serializers.CharField()
    waiting = serializers.IntegerField(allow_null=True)


class ProcessRowSerializer(ProcessHealthSerializer):
    """One process with its machine and memory."""

    host = serializers.CharField()
    pid = serializers.IntegerField(allow_null=True)
    memory_mib = serializers.IntegerField(allow_null=True)


class InstallationSerializer(serializers.Serializer[object]):
    """How far the forecast engine's set-up has come."""

    state = serializers.CharField()
    step = serializers.CharField()
    share = AmountSerializerField(allow_null=True)
    problem = serializers.CharField()


class ConsoleSerializer(serializers.Serializer[object]):
    """What the console's health page shows."""

    health = HealthSerializer()
    processes = ProcessRowSerializer(many=True)
    queues = QueueSerializer(many=True)
    versions = serializers.DictField(child=serializers.CharField())
    installation = InstallationSerializer()
    job_counts = serializers.DictField(child=serializers.IntegerField())


class JobSerializer(serializers.Serializer[object]):
    """One piece of long work."""

    id = serializers.UUIDField()
    kind = serializers.CharField()
    title = serializers.CharField()
    queue = serializers.CharField()
    owner = serializers.UUIDField(source="owner_id", allow_null=True)
    state = serializers.ChoiceField(WorkState.choices)
    progress = AmountSerializerField()
    note = serializers.CharField()
    attempts = serializers.IntegerField()
    problem_code = serializers.CharField()
    problem_detail = serializers.CharField()
    created_at = TimeField()
    next_attempt_at = TimeField()
    started_at = TimeField(allow_null=True)
    finished_at = TimeField(allow_null=True)


class FindingSerializer(serializers.Serializer[object]):
    """What the self-check found about one subject."""

    code = serializers.CharField()
    title = serializers.CharField()
    verdict = serializers.ChoiceField(["ok", "warning", "problem"])
    detail = serializers.CharField()
    fix = serializers.CharField()


class SelfCheckSerializer(serializers.Serializer[object]):
    """One run of the self-check."""

    id = serializers.UUIDField()
    state = serializers.ChoiceField(WorkState.choices)
    progress = AmountSerializerField()
    note = serializers.CharField(source="progress_note")
    findings = FindingSerializer(many=True)
    created_at = TimeField()
    finished_at = TimeField(allow_null=True)
