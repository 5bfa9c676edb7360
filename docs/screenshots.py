"""Take pictures of pages, for the README and for whoever changes a template.

    python docs/screenshots.py --base http://127.0.0.1:8000 --user root --password … / /unions /inbox
    python docs/screenshots.py --public /login /register
    python docs/screenshots.py --user root --password … --size phone --theme dark --language zh-hans /flows

Without `--size`, `--theme` or `--language` one picture is taken for each of them: desktop and phone, light and dark,
English and Chinese. PNGs are written to `var/screenshots/` (`--out` says otherwise), named by path, size, theme and
language. `--fold` takes only what fits on the screen instead of the whole page. What the browser's console says, and
every request that was answered with 400 or more, is printed; a page that broke the content security policy shows here.

Needs Playwright (in the development requirements) and Debian's chromium.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

SIZES = {"desktop": (1440, 900), "phone": (390, 844)}
THEMES = ("light", "dark")
LANGUAGES = ("en", "zh-hans")
CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", help="addresses below the base, as /unions")
    parser.add_argument("--base", default="http://127.0.0.1:8000")
    parser.add_argument("--user", default="")
    parser.add_argument("--password", default="")
    parser.add_argument("--public", action="store_true", help="do not sign in")
    parser.add_argument("--size", choices=SIZES, action="append")
    parser.add_argument("--theme", choices=THEMES, action="append")
    parser.add_argument("--language", choices=LANGUAGES, action="append")
    parser.add_argument("--out", type=Path, default=Path("var/screenshots"))
    parser.add_argument("--fold", action="store_true", help="only the first screen")
    parser.add_argument("--wait", type=int, default=400, help="milliseconds to wait after the page is loaded")
    return parser.parse_args()


def opened(browser: Browser, options: argparse.Namespace, size: str, theme: str, language: str) -> Page:
    """A page in the wanted size, theme and language, signed in."""
    width, height = SIZES[size]
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=theme, locale=language)
    context.add_cookies([{"name": "django_language", "value": language, "url": options.base}])
    page = context.new_page()
    page.on("console", lambda message: print(f"  console {message.type}: {message.text}", file=sys.stderr))
    page.on("pageerror", lambda error: print(f"  script error: {error}", file=sys.stderr))
    page.on(
        "response",
        lambda answer: answer.status >= 400 and print(f"  {answer.status} {answer.url}", file=sys.stderr),  # type: ignore[func-returns-value]
    )
    if not options.public:
        page.goto(f"{options.base}/login")
        page.fill("[name=username]", options.user)
        page.fill("[name=password]", options.password)
        page.click("main button[type=submit]")
        page.wait_for_url(lambda url: "/login" not in url)
    return page


def name_of(path: str, size: str, theme: str, language: str) -> str:
    words = re.sub(r"[^A-Za-z0-9]+", "-", path).strip("-") or "dashboard"
    return f"{words}.{size}.{theme}.{language}.png"


def taken(browser: Browser, options: argparse.Namespace) -> Iterator[Path]:
    for size, theme, language in product(options.size or SIZES, options.theme or THEMES, options.language or LANGUAGES):
        page = opened(browser, options, size, theme, language)
        for path in options.paths:
            page.goto(f"{options.base}{path}")
            page.wait_for_timeout(options.wait)
            target = options.out / name_of(path, size, theme, language)
            page.screenshot(path=target, full_page=not options.fold)
            yield target
        page.context.close()


def main() -> None:
    options = arguments()
    options.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for target in taken(browser, options):
            print(target)
        browser.close()


if __name__ == "__main__":
    main()
