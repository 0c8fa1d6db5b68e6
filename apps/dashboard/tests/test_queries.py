"""What the overview counts as done."""

import pytest

from apps.accounts.tests.factories import make_user
from apps.core import clock
from apps.dashboard.queries import Overview, overview_for

pytestmark = pytest.mark.django_db


def test_a_new_account_has_one_step_done() -> None:
    overview = overview_for(user=make_user(verified=False), now=clock.now())
    assert (overview.steps_done, overview.steps_all) == (1, 4)
    assert overview.live_data


def test_a_confirmed_address_counts() -> None:
    assert overview_for(user=make_user(verified=True), now=clock.now()).steps_done == 2


def test_everything_done_fills_the_bar() -> None:
    overview = Overview(
        email_verified=True, has_second_factor=True, has_passkey=True, has_recovery_codes=True, live_data=True
    )
    assert overview.share_done == 1
