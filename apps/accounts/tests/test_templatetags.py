"""What account pages say of devices and of the audit log."""

import re
from pathlib import Path

import pytest

from apps.accounts import actions
from apps.accounts.domain.devices import device_of
from apps.accounts.domain.mail import NOTICES, audit_action
from apps.accounts.models import AuditEntry
from apps.accounts.templatetags import people
from apps.accounts.tests.factories import make_user
from apps.core import clock

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0"
EDGE = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142 Safari/537.36 Edg/142"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18 Safari/604"


@pytest.mark.parametrize(
    ("user_agent", "words", "icon"),
    [
        (FIREFOX, "Firefox on Linux", "screen"),
        (EDGE, "Edge on Windows", "screen"),
        (SAFARI, "Safari on iPhone", "phone"),
        ("curl/8.9.1", "curl", "screen"),
        ("python-requests/2.32 (Linux)", "python-requests on Linux", "screen"),
        ("Mozilla/5.0", "Unknown device", "screen"),
        ("", "Unknown device", "screen"),
    ],
)
def test_a_device_is_named_in_words(user_agent: str, words: str, icon: str) -> None:
    assert people.device(user_agent) == words
    assert people.device_icon(user_agent) == icon


def test_a_very_long_name_is_cut() -> None:
    assert len(device_of("x" * 500).name) == 60


def test_every_act_that_is_written_down_has_words() -> None:
    folder = Path(actions.__file__).parent
    source = "".join(path.read_text() for path in folder.glob("*.py"))
    written = set(re.findall(r'action="([a-z_]+\.[a-z_]+)"', source)) | {audit_action(notice) for notice in NOTICES}
    assert len(written) > 20
    assert not written - set(people.DEEDS)


@pytest.mark.django_db
def test_a_line_of_the_log_names_who_did_what_to_whom() -> None:
    boss, ann = make_user(display_name="Boss"), make_user(display_name="Ann")
    entry = AuditEntry.objects.create(
        at=clock.now(),
        action="person.role_changed",
        actor=boss,
        subject=ann,
        detail={"from": "member", "to": "viewer"},
    )
    assert people.deed(entry) == "Role changed"
    assert people.deed_about(entry) == "by Boss, about Ann, from member to viewer"
    assert people.deed_about(entry, ann) == "by Boss, from member to viewer"
    assert people.deed_about(entry, boss) == "about Ann, from member to viewer"


@pytest.mark.django_db
def test_a_stranger_at_the_door_is_named_as_such() -> None:
    entry = AuditEntry.objects.create(at=clock.now(), action="sign_in.failed", subject=make_user(display_name="Ann"))
    assert people.deed_about(entry) == "by somebody not signed in, about Ann"
