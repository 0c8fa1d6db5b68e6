"""The rules of the look: raw colors in one file, enough contrast in both themes, nothing inline in any template."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from apps.dashboard.domain.samples import ICONS

STATIC = Path(settings.BASE_DIR) / "static"
TEMPLATES = Path(settings.BASE_DIR) / "templates"
TOKENS = (STATIC / "css" / "tokens.css").read_text()
RAW_COLOR = re.compile(r"(?<!url\()#[0-9a-fA-F]{3,8}\b|\brgba?\(|\bhsla?\(")
THEMES = ("light", "dark")
GROUNDS = ("bg", "surface", "surface-2", "surface-3")
TEXT = ("ink", "ink-2", "ink-3", "accent", "ok", "warn", "bad", "info", "green", "red", "blue", "orange")
SOFT = ("accent", "ok", "warn", "bad", "info", "green", "red", "blue", "orange")


def colors() -> dict[str, tuple[str, str]]:
    pairs = re.findall(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);", TOKENS)
    return {name: (light, dark) for name, light, dark in pairs}


def contrast(one: str, other: str) -> float:
    def luminance(color: str) -> float:
        parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def page_templates() -> Iterator[Path]:
    return (path for path in TEMPLATES.rglob("*.html") if "email" not in path.parts)


@pytest.mark.parametrize("theme", THEMES)
def test_text_can_be_read_on_every_surface(theme: str) -> None:
    at, known = THEMES.index(theme), colors()
    pairs = [(text, ground) for text in TEXT for ground in GROUNDS] + [(text, f"{text}-soft") for text in SOFT]
    weak = {pair: contrast(known[pair[0]][at], known[pair[1]][at]) for pair in pairs}
    assert {pair: ratio for pair, ratio in weak.items() if ratio < 4.5} == {}


@pytest.mark.parametrize("theme", THEMES)
def test_edges_of_controls_can_be_seen(theme: str) -> None:
    at, known = THEMES.index(theme), colors()
    weak = {(edge, ground): contrast(known[edge][at], known[ground][at]) for edge in ("line-ctl", "focus")
            for ground in ("bg", "surface", "surface-2")}  # fmt: skip
    assert {pair: ratio for pair, ratio in weak.items() if ratio < 3} == {}


def test_raw_colors_stand_in_the_tokens_only() -> None:
    sheets = [sheet for sheet in (STATIC / "css").glob("*.css") if sheet.name != "tokens.css"]
    assert sheets
    assert {sheet.name: found for sheet in sheets if (found := RAW_COLOR.findall(sheet.read_text()))} == {}


def test_templates_hold_nothing_inline() -> None:
    inline = re.compile(r"<style\b|<script(?![^>]*\bsrc=)|\sstyle=|\son(click|load|submit|change|input)=|javascript:")
    assert {str(path): found for path in page_templates() if (found := inline.findall(path.read_text()))} == {}


def test_templates_ask_no_third_party() -> None:
    outside = re.compile(r"""(?:src|href)=["'](?:https?:)?//""")
    assert [str(path) for path in page_templates() if outside.search(path.read_text())] == []


def test_every_icon_that_is_named_is_drawn() -> None:
    sprite = set(re.findall(r'<symbol id="([\w-]+)"', (STATIC / "img" / "icons.svg").read_text()))
    named = {name for path in page_templates() for name in re.findall(r'{% icon "([\w-]+)"', path.read_text())}
    assert named | set(ICONS) <= sprite
    assert sprite == set(ICONS)


def test_front_end_files_are_pinned_by_version_and_hash() -> None:
    package = json.loads((Path(settings.BASE_DIR) / "package.json").read_text())
    lock = json.loads((Path(settings.BASE_DIR) / "package-lock.json").read_text())
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in package["dependencies"].values())
    installed = {name: entry for name, entry in lock["packages"].items() if name}
    assert all(entry["integrity"].startswith("sha512-") for entry in installed.values())
    assert not any("resolved" in entry for entry in installed.values())
    sources = {source.removeprefix("@").split("/")[0] for source in package["coinsphere"]["vendor"]}
    assert sources == {name.removeprefix("@").split("/")[0] for name in package["dependencies"]}
