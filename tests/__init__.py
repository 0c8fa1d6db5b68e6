"""Tests of the whole house: its architecture, its set-up and its journeys."""
