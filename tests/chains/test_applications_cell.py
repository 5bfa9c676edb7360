"""The cell: what a program of somebody else's sees and may do, and what becomes of one that does as it likes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chains.applications import environments, jobs, protocol, walls
from chains.applications.manifest import read
from tests.chains.programs import application, awaited, finished, without_walls

Run = Callable[..., jobs.Outcome]
SECRET = "the-key-of-the-console"


pytestmark = pytest.mark.skipif(bool(without_walls()), reason=without_walls() or "-")


@pytest.fixture
def data(settings: Any, tmp_path: Path) -> Iterator[Path]:
    settings.DATA_DIR = tmp_path / "data"
    settings.DATA_DIR.mkdir()
    (settings.DATA_DIR / "secret-key").write_text(SECRET)
    os.environ["CONSOLE_TEST_SECRET"] = SECRET
    yield settings.DATA_DIR
    del os.environ["CONSOLE_TEST_SECRET"]


@pytest.fixture
def run(data: Path, tmp_path: Path) -> Run:
    """Run code as an application; without building an environment, which others do."""

    def go(code: str, job: str = "job", umask: int = 0o022, **needs: Any) -> jobs.Outcome:
        wanted = {"seconds": 20, "cpu_seconds": 10, "memory_mb": 200, "disk_mb": 16, "processes": 16, **needs}
        manifest = read(application(tmp_path / "warehouse", code, needs=wanted))
        home = environments.home_of(manifest.name, manifest.label)
        shutil.copytree(manifest.folder, home / "app", dirs_exist_ok=True)
        spec = environments.run_spec(manifest)
        python = str(Path(sys.executable).resolve())
        before = os.umask(umask)
        try:
            return finished(job, {**spec, "command": [python, *spec["command"][1:]]}, {"task": "health"})
        finally:
            os.umask(before)

    return go


def test_a_program_sees_its_request_and_nothing_of_the_console(run: Run, data: Path) -> None:
    outcome = run(f"""
        import json, os, pathlib, sys
        print("I am", os.getuid(), "and see", sorted(os.listdir("/cell")), sys.argv[1:])
        assert json.load(open("request.json")) == {{"task": "health"}}
        assert "CONSOLE_TEST_SECRET" not in os.environ, os.environ
        for key in ("secret-key", "applications/jobs", "console.sqlite3"):
            assert not pathlib.Path({str(data)!r}, key).exists(), key
        for place in ("/etc/x", "/usr/x", "/x", str(pathlib.Path(__file__).parent / "x")):
            try:
                open(place, "w")
            except OSError:
                continue
            raise AssertionError(place)
        others = [each for each in os.listdir("/proc") if each.isdigit()]
        assert set(others) <= {{"1", str(os.getpid())}}, others
        open("report.json", "w").write('{{"a": 1}}')
    """)
    assert (outcome.ended, outcome.report) == ("done", "there"), outcome
    assert jobs.report_of("job") == b'{"a": 1}'
    assert SECRET not in outcome.log


def test_a_service_that_hides_its_files_can_run_programs(run: Run) -> None:
    """As systemd's UMask=0077 and `make run` do."""
    outcome = run("open('report.json', 'w').write('{}')", umask=0o077)
    assert (outcome.ended, outcome.report) == ("done", "there"), outcome


def test_there_is_no_network_and_no_way_to_more_rights(run: Run) -> None:
    outcome = run("""
        import ctypes, os, socket
        for family, address in ((socket.AF_INET, ("127.0.0.1", 80)), (socket.AF_INET, ("192.0.2.1", 443))):
            try:
                socket.create_connection(address, timeout=2)
            except OSError as problem:
                print(problem)
            else:
                raise AssertionError(address)
        status = open("/proc/self/status").read()
        assert "CapEff:\\t0000000000000000" in status and "CapBnd:\\t0000000000000000" in status, status
        assert "NoNewPrivs:\\t1" in status
        assert os.getuid() != 0
        assert ctypes.CDLL(None).mount(b"none", b"/cell", b"tmpfs", 0, None) != 0
    """)
    assert (outcome.ended, outcome.report) == ("done", "missing"), outcome


HOSTILE = {
    "memory": ("rows = []\nwhile True:\n    rows.append(bytearray(10**7))", {}),
    "forks": ("import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass", {"seconds": 3}),
    "output": ("while True:\n    print('x' * 10_000)", {}),
    "time": ("import time\ntime.sleep(60)", {"seconds": 1}),
    "silent": ("", {}),
    "crash": ("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)", {}),
    "link": ("import os\nos.symlink('/etc/passwd', 'report.json')", {}),
    "pipe": ("import os\nos.mkfifo('report.json')", {}),
    "folder": ("import os\nos.mkdir('report.json')", {}),
    "garbage": ("open('report.json', 'w').write('I found <b>nothing</b>')", {}),
    "deep": ("open('report.json', 'w').write('[' * 100_000)", {}),
    "shapeless": ("open('report.json', 'w').write('{\"protocol\": 1, \"findings\": []}')", {}),
    "large": ("open('report.json', 'w').write('x' * 2_000_000)", {}),
    "disk": ("open('a', 'w').write('x' * 64_000_000)", {}),
}
ENDS = {
    "memory": ("more memory", "left no report"),
    "forks": ("time that it is given", "more processes", "more memory"),
    "output": ("wrote without end",),
    "time": ("time that it is given",),
    "silent": ("without a report",),
    "crash": ("ended with code 139",),
    "link": ("not a plain file",),
    "pipe": ("not a plain file",),
    "folder": ("not a plain file",),
    "garbage": ("not JSON",),
    "deep": ("not JSON",),
    "shapeless": ("not right at report",),
    "large": ("too large",),
    "disk": ("left no report",),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_program_that_does_as_it_likes_ends_as_a_sentence(run: Run, kind: str) -> None:
    code, needs = HOSTILE[kind]
    outcome = run(code, **needs)
    raw = jobs.report_of("job") if outcome.report == "there" else None
    with pytest.raises(protocol.Failed) as failure:
        protocol.read_report(outcome, raw)
    assert any(words in str(failure.value) for words in ENDS[kind]), (str(failure.value), outcome)
    assert outcome.memory_mb < 600
    assert "root:" not in str(failure.value)


def test_what_a_program_leaves_running_ends_with_it(run: Run, tmp_path: Path) -> None:
    mark = f"left-behind-{os.getpid()}"
    outcome = run(f"""
        import os, sys, time
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(60)", {mark!r}])
            os._exit(0)
        time.sleep(0.5)
    """)
    assert outcome.ended == "done", outcome
    assert not _running(mark)


def test_a_cell_that_is_killed_takes_its_program_along_and_is_begun_anew(run: Run, tmp_path: Path, data: Path) -> None:
    mark = f"hanging-{os.getpid()}"
    done = run("import json; json.dump({}, open('report.json', 'w'))", job="other")
    assert done.report == "there"
    manifest = read(application(tmp_path / "warehouse", f"import time\nmark = {mark!r}\ntime.sleep(60)"))
    home = environments.home_of(manifest.name, manifest.label)
    shutil.copytree(manifest.folder, home / "app", dirs_exist_ok=True)
    spec = environments.run_spec(manifest)
    command = [str(Path(sys.executable).resolve()), "-c", "import time; time.sleep(60)", mark]
    jobs.start("hang", {**spec, "command": command}, {})
    _until(lambda: bool(_running(mark)))
    jobs.start("hang", {**spec, "command": command}, {})
    assert len(_running(mark)) == 1, "it runs already"
    cell = jobs._children[-1]
    os.kill(cell.pid, signal.SIGKILL)
    _until(lambda: jobs.look("hang") == jobs.LOST and not _running(mark))
    jobs.start("hang", {**spec, "command": command}, {})
    _until(lambda: bool(_running(mark)))
    assert not jobs.stop("hang")
    assert awaited("hang").ended == "stopped"
    assert jobs.stop("hang")
    assert not _running(mark)
    jobs.forget("hang")
    assert jobs.look("hang") == jobs.ABSENT


def test_no_more_run_at_once_than_the_machine_is_given(run: Run, settings: Any) -> None:
    settings.APPLICATIONS_AT_ONCE = 1
    began = time.monotonic()
    run("import time; time.sleep(1)", job="first")
    manifest_spec = {"confined": False, "commands": [], "environment": {}, "seconds": 5}
    sleep = [{"run": ["/bin/sleep", "1"], "said": "sleep", "folder": "/"}]
    jobs.start("second", {**manifest_spec, "commands": sleep})
    jobs.start("third", {**manifest_spec, "commands": sleep})
    assert {awaited("second").ended, awaited("third").ended} == {"done"}
    assert time.monotonic() - began >= 3, "one after the other"


@pytest.mark.skipif(os.geteuid() != 0, reason="without root the other tests have shown it already")
def test_walls_stand_without_root_as_well(tmp_path: Path) -> None:
    """As an ordinary user, in a user namespace."""
    code = """if True:
        import os, sys
        from pathlib import Path
        from chains.applications import walls
        user = walls.enter()
        work = walls.furnish(Path(sys.argv[1]), shown=[], hidden=[], work_mb=4, owner=user)
        if (first := os.fork()) == 0:
            try:
                walls.move_in(Path(sys.argv[1]))
                walls.give_up_rights(user)
                if os.fork() == 0:
                    os.chdir(walls.PLACE)
                    status = open("/proc/self/status").read()
                    assert "CapEff:\\t0000000000000000" in status, status
                    open("report", "w").write(f"{os.getuid()} {os.path.exists('/home')}")
                    os._exit(0)
                os._exit(os.waitstatus_to_exitcode(os.wait()[1]))
            except BaseException as problem:
                print(problem, file=sys.stderr)
                os._exit(9)
        code = os.waitstatus_to_exitcode(os.waitpid(first, 0)[1])
        print((work / "report").read_text())
        sys.exit(code)
    """
    nobody = 65534
    place = Path("/tmp") / f"walls-{os.getpid()}"
    place.mkdir()
    os.chown(place, nobody, nobody)
    root = Path(__file__).resolve().parents[2]
    try:
        copied = place / "chains/applications"
        copied.mkdir(parents=True)
        for name in ("__init__.py", "applications/__init__.py", "applications/walls.py"):
            shutil.copyfile(root / "chains" / name, place / "chains" / name)
        system = shutil.which("python3", path="/usr/bin") or ""
        if not system:
            pytest.skip("there is no Python that everybody may run")
        done = subprocess.run(
            [system, "-c", code, str(place / "root")], env={"PYTHONPATH": str(place)},
            user=nobody, group=nobody, extra_groups=[], capture_output=True, text=True, timeout=60, cwd="/",
        )  # fmt: skip
    finally:
        shutil.rmtree(place)
    assert (done.returncode, done.stdout.strip()) == (0, f"{walls.INSIDE} False"), done.stderr


def _running(mark: str) -> list[str]:
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                line = (folder / "cmdline").read_bytes()
            except OSError:
                continue
            if mark.encode() in line and b"sleep(60)" in line:
                found.append(folder.name)
    return found


def _until(true: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)
