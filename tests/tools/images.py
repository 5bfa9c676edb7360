"""`make images`: small container images of real kernels, made on this machine, for the tests and for trying out.

The kernels are built by Go from its module proxy, once, into `var/kernels`; each becomes an archive that any container
engine loads (`docker load -i var/kernels/ethereum.tar`). In production the official images are used instead.
What cannot be built here is said, and is no failure: the tests that want it are skipped with the reason.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from console.environment import ROOT

TARGET = ROOT / "var/kernels"
SHELL = Path("/bin/busybox")  # Debian's busybox-static: the images hold nothing else beside the kernel
APPLETS = ("sh", "cat", "head", "mkdir", "mv", "rm", "ls", "chmod", "sleep", "od", "tr", "tail", "cut", "df", "true")
TOOLCHAIN = "go1.22.12"  # newer ones do not link these kernels


@dataclass(frozen=True)
class Kernel:
    """A kernel's module, as Go names it, and the tag of the image. Quorum's geth has parts in C."""

    name: str
    tag: str
    version: str
    module: str
    c: bool = False

    @property
    def archive(self) -> Path:
        return TARGET / f"{self.name}.tar"


KERNELS = (
    Kernel(
        "ethereum",
        "localhost/concord-ethereum:1.13.15",
        "1.13.15",
        "module kernel\n\ngo 1.21\n\nrequire github.com/ethereum/go-ethereum v1.13.15\n",
    ),
    Kernel(
        "quorum",
        "localhost/concord-quorum:22.7.4",
        "22.7.4",
        "module kernel\n\ngo 1.15\n\nrequire github.com/ethereum/go-ethereum v1.10.3\n\n"
        "replace github.com/ethereum/go-ethereum => "
        "github.com/ConsenSys/quorum v0.0.0-20221208112643-d318a5aa973a\n\n"
        "replace github.com/coreos/etcd => github.com/Consensys/etcd v3.3.13-quorum197+incompatible\n",
        c=True,
    ),
)
STATIC = ["-tags", "netgo,osusergo", "-ldflags=-s -w -linkmode external -extldflags -static"]


def main() -> int:
    TARGET.mkdir(parents=True, exist_ok=True)
    for kernel in KERNELS:
        if kernel.archive.exists():
            continue
        problem = _problem(kernel)
        if problem:
            print(f"images: {kernel.name} is not built: {problem}", file=sys.stderr)
            continue
        binary = TARGET / "bin" / kernel.name
        if not binary.exists() and not _build(kernel, binary):
            continue
        pack(kernel.archive, tag=kernel.tag, version=kernel.version, program=binary)
        print(f"images: {kernel.tag} is in {kernel.archive.relative_to(ROOT)}")
    return 0


def missing_for(name: str) -> str:
    """Why there is no image of this kernel; empty when there is one."""
    kernel = named(name)
    return "" if kernel.archive.exists() else _problem(kernel) or f"no image of {name}: `make images` makes it"


def named(name: str) -> Kernel:
    return next(each for each in KERNELS if each.name == name)


def _problem(kernel: Kernel) -> str:
    if shutil.which("go") is None:
        return "there is no Go on this machine"
    if kernel.c and shutil.which("gcc") is None:
        return "there is no C compiler on this machine"
    if not SHELL.exists():
        return "there is no static busybox on this machine (Debian: busybox-static)"
    return ""


def _build(kernel: Kernel, binary: Path) -> bool:
    """Compile the kernel's only program, geth; the lowest priority, for it takes minutes."""
    environment = {
        **os.environ,
        "GOTOOLCHAIN": TOOLCHAIN,
        "GOFLAGS": "-buildvcs=false -mod=mod",
        "CGO_ENABLED": str(int(kernel.c)),
    }
    binary.parent.mkdir(exist_ok=True)
    print(f"images: building {kernel.name} {kernel.version}; this takes some minutes, once", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "go.mod").write_text(kernel.module)
        made = Path(folder) / "kernel"
        how = STATIC if kernel.c else ["-ldflags=-s -w"]
        command = ["nice", "-n", "15", "go", "build", "-trimpath", *how, "-o", str(made)]
        done = subprocess.run(
            [*command, "github.com/ethereum/go-ethereum/cmd/geth"],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            print(f"images: {kernel.name} cannot be built: {done.stderr.strip()[-500:]}", file=sys.stderr)
            return False
        shutil.copy2(made, binary)
    return True


def pack(
    archive: Path,
    *,
    tag: str,
    version: str = "1",
    program: Path | None = None,
    scripts: Mapping[str, str] | None = None,
    entrypoint: list[str] | None = None,
) -> None:
    """The archive that `docker save` would write: one layer, its configuration, and a manifest."""
    layer = layer_of(program, scripts or {})
    config = config_of(layer, version=version, entrypoint=entrypoint or (["geth"] if program else ["sh"]))
    name = hashlib.sha256(config).hexdigest()
    manifest = [{"Config": f"{name}.json", "RepoTags": [tag], "Layers": ["layer.tar"]}]
    unfinished = archive.with_suffix(".new")
    with tarfile.open(unfinished, "w") as tar:
        _add(tar, f"{name}.json", config)
        _add(tar, "layer.tar", layer)
        _add(tar, "manifest.json", json.dumps(manifest).encode())
    unfinished.replace(archive)


def config_of(layer: bytes, *, version: str, entrypoint: list[str]) -> bytes:
    config = {
        "architecture": "amd64",
        "os": "linux",
        "created": "1970-01-01T00:00:00Z",
        "config": {
            "Entrypoint": entrypoint,
            "Env": ["PATH=/usr/local/bin:/bin"],
            "Labels": {"org.opencontainers.image.version": version},
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
        "history": [{"created": "1970-01-01T00:00:00Z", "created_by": "make images"}],
    }
    return json.dumps(config).encode()


def layer_of(program: Path | None = None, scripts: Mapping[str, str] | None = None) -> bytes:
    """A file system with a shell and, if given, the kernel's program, and scripts by their names in bin."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for folder in ("bin", "etc", "tmp", "usr", "usr/local", "usr/local/bin", "root"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
            tar.addfile(entry)
        _add(tar, "bin/busybox", SHELL.read_bytes(), 0o755)
        for applet in APPLETS:
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname, link.mode = tarfile.SYMTYPE, "busybox", 0o777
            tar.addfile(link)
        _add(tar, "etc/passwd", b"root:x:0:0:root:/root:/bin/sh\n")
        if program is not None:
            _add(tar, "usr/local/bin/geth", program.read_bytes(), 0o755)
        for name, text in (scripts or {}).items():
            _add(tar, f"bin/{name}", text.encode(), 0o755)
    return out.getvalue()


def _add(tar: tarfile.TarFile, name: str, content: bytes, mode: int = 0o644) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    tar.addfile(entry, io.BytesIO(content))


if __name__ == "__main__":
    sys.exit(main())
