"""Rules, events and deliveries."""
