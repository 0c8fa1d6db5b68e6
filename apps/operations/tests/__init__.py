"""Tests of the owner's console and the supervisor."""
