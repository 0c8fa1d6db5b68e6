"""Tests of the live socket."""
