"""The parts of a page: figures, times, states, bars and fields."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django import forms
from django.template import Context, Template
from django.utils.safestring import SafeString

from apps.dashboard.forms import SampleForm
from apps.dashboard.templatetags import look, shell

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def drawn(source: str, **context: object) -> SafeString:
    return Template("{% load look shell %}" + source).render(Context(context))


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (timedelta(seconds=3), "just now"),
        (timedelta(seconds=42), "42 sec ago"),
        (timedelta(minutes=2), "2 min ago"),
        (timedelta(hours=3), "3 hr ago"),
        (timedelta(days=1), "1 day ago"),
        (timedelta(days=4), "4 days ago"),
        (timedelta(days=60), "22 Sep 2026"),
    ],
)
def test_ago_says_how_long(age: timedelta, words: str) -> None:
    assert f">{words}</time>" in drawn("{% ago at %}", at=NOW - age, now=NOW)


def test_times_stand_in_the_readers_zone() -> None:
    html = drawn("{% when at %}", at=NOW, prefs={"time_zone": "Asia/Tokyo"})
    assert "21 Nov 2026, 21:00" in html
    assert 'datetime="2026-11-21T12:00:00+00:00"' in html


@pytest.mark.parametrize("tag", ["when", "ago"])
def test_no_time_is_never(tag: str) -> None:
    assert "never" in drawn("{% " + tag + " at %}", at=None, now=NOW)


def test_amounts_are_exact_and_cents_are_quieter() -> None:
    html = drawn('{% amount number "USD" cents=True %}', number=Decimal("185532.59"))
    assert html == '<span class="amt fig">$185,532<span class="cents">.59</span></span>'


@pytest.mark.parametrize("tag", ['{% amount number "USD" %}', '{% change number "USD" %}'])
def test_hidden_amounts_do_not_reach_the_html(tag: str) -> None:
    html = drawn(tag, number=Decimal("185532.59"), prefs={"private": True})
    assert look.MASK in html
    assert "185" not in html


def test_the_mask_has_one_length() -> None:
    small = drawn("{% amount number %}", number=Decimal(1), prefs={"private": True})
    large = drawn("{% amount number %}", number=Decimal(10) ** 20, prefs={"private": True})
    assert small == large


@pytest.mark.parametrize(("number", "direction"), [("1", "up"), ("-1", "dn"), ("0", "eq")])
def test_a_change_has_its_direction(number: str, direction: str) -> None:
    assert f'class="chg {direction}"' in drawn("{% percent number %}", number=Decimal(number))


def test_percentages_stay_while_amounts_are_hidden() -> None:
    assert "+1.23%" in drawn("{% percent number %}", number=Decimal("0.0123"), prefs={"private": True})


@pytest.mark.parametrize(("fraction", "width"), [(0.5, "50"), (1.7, "100"), (-1, "0"), (Decimal("0.333"), "33.3")])
def test_bars_stay_in_their_box(fraction: float, width: str) -> None:
    assert f'<rect width="{width}%"' in drawn('{% meter fraction "Use" %}', fraction=fraction)


def test_progress_without_a_fraction_claims_none() -> None:
    assert "aria-valuenow" not in drawn('{% progress None "Waiting" %}')


def test_an_unknown_state_is_shown_as_it_is_called() -> None:
    assert ">resting</span>" in drawn('{% state "resting" %}')


def test_blocks_hold_content_and_escape_what_is_given() -> None:
    html = drawn("{% card title %}<p>Content</p>{% endcard %}", title="<b>Bold</b>")
    assert "<p>Content</p>" in html
    assert "&lt;b&gt;Bold" in html


def test_a_refused_field_is_marked_and_described() -> None:
    form = SampleForm({"quantity": "x"})
    html = look.field(form["quantity"])
    assert 'aria-invalid="true"' in html
    assert 'aria-describedby="id_quantity-error"' in html
    assert 'id="id_quantity-error"' in html


def test_a_field_without_errors_is_quiet() -> None:
    html = look.field(SampleForm()["note"])
    assert "aria-invalid" not in html
    assert 'aria-describedby="id_note-hint"' in html


def test_every_field_of_a_form_is_drawn() -> None:
    class Hidden(SampleForm):
        ticket = forms.CharField(widget=forms.HiddenInput)

    html = look.fields(Hidden())
    assert all(f'name="{name}"' in html for name in Hidden.base_fields)


def test_the_sum_of_errors_links_to_the_fields() -> None:
    html = drawn("{% form_errors form %}", form=SampleForm({"quantity": "x", "code": "12", "coin": "ETH"}))
    assert "3 things to put right" in html
    assert 'href="#id_quantity"' in html


def test_a_clean_form_has_no_sum() -> None:
    assert drawn("{% form_errors form %}", form=SampleForm()).strip() == ""


@pytest.mark.parametrize(
    ("name", "letters"), [("Ada Lovelace", "AL"), ("ada.l@example.com", "AL"), ("ada", "A"), ("", "?")]
)
def test_initials(name: str, letters: str) -> None:
    assert shell.initials(name) == letters


def test_an_address_that_is_not_served_is_empty() -> None:
    assert drawn('{% address "no:such" %}') == ""
