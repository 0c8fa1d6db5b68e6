"""What the ticket's door answers."""

from rest_framework import serializers

from apps.live.domain.bonds import Ticket


class TicketSerializer(serializers.Serializer[Ticket]):
    """A way into the live socket."""

    ticket = serializers.CharField(source="secret", read_only=True, help_text="Good once.")
    url = serializers.CharField(read_only=True, help_text="Where to connect, ticket included.")
    expires_in = serializers.IntegerField(read_only=True, help_text="Seconds until the ticket is worthless.")
