"""The one socket: tickets, channels, fan-out."""
