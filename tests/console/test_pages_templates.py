"""What holds for every template of the product: it compiles, runs nothing inline, and names only icons that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import get_template

from console import frontend

ROOT = Path(settings.BASE_DIR) / "templates"
TEMPLATES = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.html"))
INLINE = {
    "a style attribute": re.compile(r"\sstyle\s*=", re.IGNORECASE),
    "an event attribute": re.compile(r"\son[a-z]+\s*=\s*[\"']", re.IGNORECASE),
    "an inline script": re.compile(r"<script(?![^>]*\ssrc=)[^>]*>", re.IGNORECASE),
    "an inline style": re.compile(r"<style\b", re.IGNORECASE),
    "a javascript address": re.compile(r"javascript:", re.IGNORECASE),
    "something from elsewhere": re.compile(r"(?:src|href)\s*=\s*[\"'](?:https?:)?//", re.IGNORECASE),
}


@pytest.mark.parametrize("name", TEMPLATES)
def test_nothing_is_inline(name: str) -> None:
    text = (ROOT / name).read_text()
    found = [what for what, pattern in INLINE.items() if pattern.search(text)]
    assert not found


@pytest.mark.parametrize("name", TEMPLATES)
def test_it_compiles(name: str) -> None:
    assert get_template(name)


def test_the_rules_catch_what_they_forbid() -> None:
    bad = '<p style="x" onclick="y"><script>z</script><style></style><a href="javascript:1"></a><img src="//cdn/x">'
    assert all(pattern.search(bad) for pattern in INLINE.values())
    good = '<script src="/static/console/theme.js"></script><p class="style">on = "off"</p><a href="/x">'
    assert not any(pattern.search(good) for pattern in INLINE.values())


def test_every_icon_that_is_named_is_in_the_sprite() -> None:
    sprite = frontend.VENDOR / frontend.SPRITE
    assert sprite.is_file(), "run `make setup`: the front end has not been built"
    drawn = set(re.findall(r'<symbol id="([a-z0-9-]+)"', sprite.read_text()))
    assert set(frontend.icon_names()) <= drawn
