"""The front door for people: pages that combine apps."""
