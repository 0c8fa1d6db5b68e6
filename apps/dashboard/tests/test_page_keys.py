"""The list behind `?`: every page that takes keys names them, and no key means two things."""

from collections import Counter

import pytest
from django.test import Client
from django.urls import get_resolver, reverse

from apps.accounts.tests.factories import make_user
from apps.dashboard.templatetags.page_keys import PAGE_KEYS
from apps.dashboard.templatetags.shell import GROUPS, LEDGER


def test_every_page_with_keys_is_a_page() -> None:
    spaces = get_resolver().namespace_dict
    for name in PAGE_KEYS:
        space, _colon, page = name.partition(":")
        assert page in spaces[space][1].reverse_dict, name


def test_no_two_pages_share_the_letter_after_g() -> None:
    letters = Counter(place.key for _head, places in (*GROUPS, (None, LEDGER)) for place in places if place.key)
    assert letters
    assert max(letters.values()) == 1, letters


@pytest.mark.django_db
@pytest.mark.usefixtures("sent_tasks")
def test_the_list_names_the_keys_of_its_page_and_the_way_to_every_other() -> None:
    browser = Client()
    browser.force_login(make_user())
    text = browser.get(reverse("portfolios:transactions")).text
    keys = text.split('id="keys"', 1)[1].split("</dialog>", 1)[0]
    for words in ("On this page", "Next row, previous row", "Close the story beside the list", "Go to Transfers"):
        assert words in keys, words
    assert 'data-go="f"' in text
    assert "On this page" not in browser.get(reverse("accounts:profile")).text
