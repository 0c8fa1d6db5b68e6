"""The product's settings with the benchmark's address added; everything else is as people run it."""

from config.settings import *  # noqa: F403

ROOT_URLCONF = "bench.urls"
