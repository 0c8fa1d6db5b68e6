"""Health as programs read it."""

from rest_framework import serializers

from apps.core.api.times import TimeField


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


class HealthSerializer(serializers.Serializer[object]):
    """All of it in detail."""

    status = serializers.ChoiceField(["ok", "degraded", "down"])
    version = serializers.CharField()
    database = serializers.ChoiceField(["ok", "down"])
    migrations = serializers.ChoiceField(["ok", "pending", "unknown"])
    redis = serializers.ChoiceField(["ok", "down"])
    processes = ProcessHealthSerializer(many=True)
    features = serializers.DictField(child=serializers.CharField())
