"""Ids sort by the time they were made, also within a millisecond and over threads."""

import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import time_machine

from apps.core.ids import uuid7


def test_an_id_is_a_version_seven_uuid_of_now() -> None:
    made = uuid7()
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert abs((made.int >> 80) - time.time_ns() // 1_000_000) < 1_000


def test_a_clock_that_is_set_back_is_followed() -> None:
    with time_machine.travel(time.time() + 86_400):
        uuid7()
    assert abs((uuid7().int >> 80) - time.time_ns() // 1_000_000) < 1_000


def test_ids_made_one_after_the_other_rise() -> None:
    made = [uuid7() for _ in range(5_000)]
    assert made == sorted(made)


def test_threads_never_get_the_same_id() -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: uuid7(), range(4_000)))
    assert len({one.int >> 64 for one in made}) == len(made)
