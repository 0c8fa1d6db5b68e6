"""The parts of a page: icons, figures, times, states, bars, cards and fields, drawn from `templates/components/`."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from django import template
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.forms import BaseForm, BoundField, CheckboxInput, PasswordInput, RadioSelect, Select
from django.template import Context
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.core import money

register = template.Library()

MASK: Final = "••••••"
CHARTS_HOME: Final = "https://www.tradingview.com/"
#: Figures longer than this may be cut in a table; they stand in full in their title.
LONG: Final = 18
_RECENT = timedelta(seconds=10)
#: Files and icons are a few hundred, and a page draws most of them again and again.
_REMEMBERED: Final = 1_024
_STATES: Final[Mapping[str, tuple[str, object]]] = {
    "queued": ("", gettext_lazy("queued")),
    "running": ("info", gettext_lazy("running")),
    "waiting": ("accent", gettext_lazy("waits")),
    "succeeded": ("ok", gettext_lazy("done")),
    "failed": ("bad", gettext_lazy("failed")),
    "parked": ("bad", gettext_lazy("parked")),
    "cancelled": ("line", gettext_lazy("cancelled")),
    "up": ("ok", gettext_lazy("answers")),
    "late": ("warn", gettext_lazy("late")),
    "down": ("bad", gettext_lazy("silent")),
    "absent": ("line", gettext_lazy("not running")),
    "later": ("line", gettext_lazy("arrives later")),
    "on": ("ok", gettext_lazy("on")),
    "off": ("line", gettext_lazy("off")),
}


def preference(context: Context, name: str, default: object) -> object:
    """Return one preference of the reader, or the default where the page knows no reader."""
    kept = context.get("prefs")
    value = kept.get(name, default) if isinstance(kept, Mapping) else getattr(kept, name, default)
    return default if value is None else value


# --- Files and icons -------------------------------------------------------------------------------------------------


@register.simple_tag
def asset(path: str) -> str:
    """Return the address of a static file, its plain one while no manifest is there: error pages must not fail."""
    manifest: str = getattr(staticfiles_storage, "manifest_hash", "")
    try:
        return _collected(path, manifest) if manifest else staticfiles_storage.url(path)
    except ValueError:
        return f"{settings.STATIC_URL}{path}"


@lru_cache(maxsize=_REMEMBERED)
def _collected(path: str, _manifest: str) -> str:
    """Return the address under which a file was collected; it is the same as long as the manifest is."""
    return staticfiles_storage.url(path)


@register.simple_tag
def icon(name: str, extra: str = "") -> SafeString:
    """Draw an icon of the sprite; it says nothing, the word beside it does."""
    return _icon(name, extra, asset("img/icons.svg"))


@lru_cache(maxsize=_REMEMBERED)
def _icon(name: str, extra: str, source: str) -> SafeString:
    classes = f"i {extra}".strip()
    return format_html('<svg class="{}" aria-hidden="true"><use href="{}#{}"/></svg>', classes, source, name)


@register.simple_tag
def coin(code: str, extra: str = "") -> SafeString:
    """Draw the sign of a coin."""
    classes = f"coin {extra}".strip()
    source = asset("img/coins.svg")
    return format_html('<svg class="{}" aria-hidden="true"><use href="{}#{}"/></svg>', classes, source, code)


# --- Times -----------------------------------------------------------------------------------------------------------


@register.simple_tag(takes_context=True)
def when(context: Context, value: datetime | None, style: str = "long") -> SafeString:
    """Write a time in the reader's zone: `long` 14 Mar 2025, 14:02, `date` without the hour, `clock` the hour alone."""
    if value is None:
        return format_html('<span class="mut">{}</span>', _("never"))
    local = _local(context, value)
    words = date_format(local, {"long": "j M Y, H:i", "date": "j M Y", "clock": "H:i"}[style])
    return _time(value, local, words)


@register.simple_tag(takes_context=True)
def day(context: Context, value: datetime) -> str:
    """Return the day of a time in the reader's zone, as heads of days say it."""
    return date_format(_local(context, value), "j M Y")


@register.simple_tag(takes_context=True)
def ago(context: Context, value: datetime | None) -> SafeString:
    """Write how long ago something was; the exact time stands in the title, and a script keeps the words true."""
    if value is None:
        return format_html('<span class="mut">{}</span>', _("never"))
    local = _local(context, value)
    now = context.get("now")
    words = _age(now - value) if isinstance(now, datetime) else ""
    return _time(value, local, words or date_format(local, "j M Y"), follows=bool(words))


def _local(context: Context, value: datetime) -> datetime:
    zone = str(preference(context, "time_zone", ""))
    return timezone.localtime(value, ZoneInfo(zone) if zone else None)


def _time(value: datetime, local: datetime, words: str, *, follows: bool = False) -> SafeString:
    exact = f"{date_format(local, 'j M Y, H:i:s')} {local.tzname() or ''}".strip()
    return format_html(
        '<time datetime="{}" title="{}"{}>{}</time>',
        value.isoformat(),
        exact,
        mark_safe(" data-ago") if follows else "",
        words,
    )


def _age(age: timedelta) -> str:
    seconds = int(age.total_seconds())
    if seconds < _RECENT.seconds:
        return _("just now")
    if seconds < 60:
        return ngettext("%(count)d sec ago", "%(count)d sec ago", seconds) % {"count": seconds}
    if seconds < 3600:
        return ngettext("%(count)d min ago", "%(count)d min ago", seconds // 60) % {"count": seconds // 60}
    if seconds < 86_400:
        return ngettext("%(count)d hr ago", "%(count)d hr ago", seconds // 3600) % {"count": seconds // 3600}
    if age.days < 30:
        return ngettext("%(count)d day ago", "%(count)d days ago", age.days) % {"count": age.days}
    return ""


# --- Figures ---------------------------------------------------------------------------------------------------------


@register.simple_tag(takes_context=True)
def amount(context: Context, number: Decimal | None, code: str = "", *, cents: bool = False) -> SafeString:
    """Write an amount, or its mask while amounts are hidden; `cents` makes the fraction smaller and quieter."""
    if preference(context, "private", default=False):
        return _masked()
    if number is None:
        return format_html('<span class="mut">{}</span>', _("unknown"))
    words = money.for_display(number, code=code)
    whole, point, fraction = words.rpartition(".")
    title = format_html(' title="{}"', words) if len(words) > LONG else ""
    if cents and point:
        return format_html('<span class="amt fig"{}>{}<span class="cents">.{}</span></span>', title, whole, fraction)
    return format_html('<span class="amt fig"{}>{}</span>', title, words)


@register.simple_tag(takes_context=True)
def change(context: Context, number: Decimal, code: str = "", extra: str = "") -> SafeString:
    """Write a gain or loss in money with its arrow and sign."""
    if preference(context, "private", default=False):
        return _masked()
    words = money.for_display(number, code=code, signed=True)
    return format_html(
        '<span class="chg {}"><span class="amt">{}</span></span>', f"{_direction(number)} {extra}".strip(), words
    )


@register.simple_tag
def percent(fraction: Decimal, extra: str = "") -> SafeString:
    """Write a fraction as a signed percentage with its arrow; percentages stay while amounts are hidden."""
    words = money.percent_for_display(fraction)
    return format_html('<span class="chg {}">{}</span>', f"{_direction(fraction)} {extra}".strip(), words)


def _masked() -> SafeString:
    return format_html('<span class="amt" aria-label="{}">{}</span>', _("hidden"), MASK)


def _direction(number: Decimal) -> str:
    return "up" if number > 0 else "dn" if number < 0 else "eq"


# --- States and bars -------------------------------------------------------------------------------------------------


@register.simple_tag
def state(code: str, words: str = "") -> SafeString:
    """Say a state in a word: its tint from the code, its text from `words` where something truer is known."""
    tint, usual = _STATES.get(code, ("", code))
    return badge(words or str(usual), tint, "badge--dot" if tint in {"ok", "info", "warn", "bad"} else "")


@register.simple_tag
def badge(words: str, kind: str = "", extra: str = "", icon_name: str = "") -> SafeString:
    """Draw a badge: ok, warn, bad, info, accent, line, live, stale, off or sim."""
    classes = f"badge {f'badge--{kind}' if kind else ''} {extra}"
    drawing = icon(icon_name) if icon_name else ""
    return format_html('<span class="{}">{}{}</span>', " ".join(classes.split()), drawing, words)


@register.simple_tag
def meter(fraction: Decimal | float | None, label: str, kind: str = "", extra: str = "") -> SafeString:
    """Draw how much of something is used; an SVG, so that no inline style is needed."""
    return _bar("meter", fraction, label, kind, extra)


@register.simple_tag
def progress(fraction: Decimal | float | None, label: str, kind: str = "", extra: str = "") -> SafeString:
    """Draw how far something has come; without a fraction it moves to say that nobody knows."""
    return _bar("progress", fraction, label, kind, extra)


def _bar(part: str, fraction: Decimal | float | None, label: str, kind: str, extra: str) -> SafeString:
    classes = " ".join(f"{part} {f'{part}--{kind}' if kind else ''} {extra}".split())
    share = None if fraction is None else f"{min(max(float(fraction), 0), 1) * 100:.1f}".removesuffix(".0")
    value = "" if share is None else format_html(' aria-valuenow="{}" aria-valuemin="0" aria-valuemax="100"', share)
    return format_html(
        '<svg class="{}" role="{}" aria-label="{}"{}><rect width="{}%" height="100%"/></svg>',
        classes,
        "progressbar" if part == "progress" else "meter",
        label,
        value,
        "100" if share is None else share,
    )


# --- Parts around content --------------------------------------------------------------------------------------------


@register.simple_block_tag(takes_context=True, end_name="endcard")
def card(context: Context, content: str, title: str = "", **options: object) -> SafeString:
    """Put content into a card: `title`, `note`, `id`, `extra` classes, `flush` for a table, `aside` for the right."""
    return _part(context, "card", content, title=title, **options)


@register.simple_block_tag(takes_context=True, end_name="endbanner")
def banner(context: Context, content: str, kind: str = "info", **options: object) -> SafeString:
    """Say something about the whole page: info, ok, warn or bad; `icon`, `role`."""
    return _part(context, "banner", content, kind=kind, **options)


@register.simple_block_tag(takes_context=True, end_name="enddialog")
def dialog(context: Context, content: str, id: str, title: str, **options: object) -> SafeString:  # noqa: A002
    """Ask in a native dialog: `id`, `title`, `say`; the content brings `dlg__body` and `dlg__foot`."""
    return _part(context, "dialog", content, id=id, title=title, **options)


@register.simple_block_tag(takes_context=True, end_name="endempty")
def empty(context: Context, content: str, title: str, **options: object) -> SafeString:
    """Say that nothing is here yet and what to do next; the content holds the words and a `row` of buttons."""
    return _part(context, "empty", content, title=title, **options)


def _part(context: Context, name: str, content: str, **options: object) -> SafeString:
    inside = {**options, "content": content, "prefs": context.get("prefs")}
    return render_to_string(f"components/{name}.html", inside)


# --- Forms -----------------------------------------------------------------------------------------------------------


@register.simple_tag
def field(bound: BoundField, **options: object) -> SafeString:
    """Draw a form field with label, hint and errors; options: see `components/field.html`."""
    attributes = {"class": _field_class(bound), "aria-describedby": _described_by(bound, options)}
    for name in ("autofocus", "placeholder", "autocomplete", "inputmode"):
        if options.get(name):
            attributes[name] = str(options[name])
    if bound.errors:
        attributes["aria-invalid"] = "true"
    widget = bound.as_widget(attrs={name: value for name, value in attributes.items() if value})
    inside = {"field": bound, "widget": widget, "kind": _field_kind(bound), **options}
    return render_to_string("components/field.html", inside)


@register.simple_tag
def fields(form: BaseForm) -> SafeString:
    """Draw the hidden and the visible fields of a form in their order."""
    parts = [str(bound) for bound in form.hidden_fields()] + [field(bound) for bound in form.visible_fields()]
    return mark_safe("\n".join(parts))  # noqa: S308 - each part is escaped where it is made


@register.inclusion_tag("components/form_errors.html")
def form_errors(form: BaseForm) -> dict[str, object]:
    """Sum up what a refused form asks to put right, each line a link to its field."""
    wrong = [bound for bound in form.visible_fields() if bound.errors]
    general = list(form.non_field_errors())
    return {"wrong": wrong, "general": general, "count": len(wrong) + len(general)}


@register.inclusion_tag("components/chart_credit.html")
def chart_credit() -> dict[str, str]:
    """Name whose chart it is, as its licence asks; a link that is followed, nothing that the page fetches."""
    return {"address": CHARTS_HOME}


def _field_kind(bound: BoundField) -> str:
    widget = bound.field.widget
    if isinstance(widget, CheckboxInput):
        return "check"
    if isinstance(widget, RadioSelect):
        return "radio"
    if isinstance(widget, PasswordInput):
        return "password"
    return "plain"


def _field_class(bound: BoundField) -> str:
    widget = bound.field.widget
    if isinstance(widget, CheckboxInput | RadioSelect):
        return ""
    if isinstance(widget, Select):
        return "select"
    return "input"


def _described_by(bound: BoundField, options: Mapping[str, object]) -> str:
    ids = []
    if bound.errors:
        ids.append(f"{bound.auto_id}-error")
    if options.get("hint") or bound.help_text:
        ids.append(f"{bound.auto_id}-hint")
    return " ".join(ids)
