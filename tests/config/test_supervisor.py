"""The supervisor keeps programs running, leaves nothing behind, and starts again on what a kill left."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config.supervisor import (
    BackOff,
    NotReady,
    Program,
    Supervisor,
    broker,
    broker_program,
    instance,
    mail_server_program,
    ports,
    readiness,
)
from tests.gate import OUTSIDE

pytestmark = pytest.mark.servers

ROOT = Path(__file__).parents[2]
LIMIT = 20.0  # seconds
QUICKLY = BackOff(first=0.05, most=0.2, steady=60)
STAY = "import time; time.sleep(600)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('on'); time.sleep(600)"


def python(name: str, code: str, **more: object) -> Program:
    return Program(name, [sys.executable, "-u", "-c", code], dict(os.environ), **more)  # type: ignore[arg-type]


def eventually(truth: Callable[[], object], within: float = LIMIT) -> None:
    until = time.monotonic() + within
    while not truth():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/status")
    with contextlib.suppress(OSError):
        return "State:\tZ" not in status.read_text()
    return True


# ── pure policy ──────────────────────────────────────────────────────────────────────────────────────────


def test_patience_doubles_up_to_half_a_minute_and_starts_again_after_a_long_life() -> None:
    back_off, waits, wait = BackOff(), [], 0.0
    for _ in range(7):
        wait = back_off.next(wait, lived=0.1)
        waits.append(wait)
    assert waits == [1, 2, 4, 8, 16, 30, 30]
    assert back_off.next(30, lived=61) == 1


@pytest.mark.parametrize("length", [10, 92, 93, 120, 240])
def test_the_brokers_socket_path_is_always_short_enough(length: int) -> None:
    directory = Path("/" + "d" * (length - 1))
    assert len(os.fsencode(broker.socket_path(directory))) <= 103


def test_two_directories_with_long_names_do_not_share_a_socket() -> None:
    assert broker.socket_path(Path("/" + "a" * 200)) != broker.socket_path(Path("/" + "b" * 200))


# ── ports ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_taken_port_is_named_with_its_cure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ports.PortTaken, match=rf"Port {port} is in use.*PORT=\d+ \./run"):
            ports.require_free(port, "PORT")


def test_an_address_of_another_machine_is_refused_in_a_sentence() -> None:
    with pytest.raises(ports.AddressUnusable, match=r"HOST=192\.0\.2\.1 is not an address of this machine"):
        ports.require_free(ports.free_port(), "PORT", "192.0.2.1")


def test_a_host_that_only_names_this_machine_opens_nothing_to_others() -> None:
    assert ports.listening_host("") == "127.0.0.1"
    assert ports.listening_host(socket.gethostname()) == "127.0.0.1"
    assert ports.listening_host("192.0.2.1") == "192.0.2.1"


def test_the_mail_servers_port_is_kept_until_somebody_takes_it(tmp_path: Path) -> None:
    free = ports.free_port()
    (tmp_path / "postbox-port").write_text(str(free))
    assert ports.kept_mail_port(tmp_path) == free
    with socket.create_server(("127.0.0.1", free)):
        other = ports.kept_mail_port(tmp_path)
    assert other != free
    assert (tmp_path / "postbox-port").read_text().strip() == str(other)


def test_a_spoilt_note_of_the_port_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "postbox-port").write_text("not a port")
    assert 0 < ports.kept_mail_port(tmp_path) <= 65535


# ── one at a time ────────────────────────────────────────────────────────────────────────────────────────


def test_a_second_start_on_the_same_directory_is_told_which_process_has_it(tmp_path: Path) -> None:
    said: list[str] = []
    with (
        instance.only_one(tmp_path, said.append, 0),
        pytest.raises(instance.AlreadyRunning, match=rf"already running.*process {os.getpid()}"),
        instance.only_one(tmp_path, said.append, 0),
    ):
        pytest.fail("two hold one directory")
    with instance.only_one(tmp_path, said.append, 0):
        assert said == []


def test_a_start_waits_for_processes_that_a_killed_supervisor_left(tmp_path: Path) -> None:
    with instance.only_one(tmp_path, print, 0) as descriptor:
        left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1)"], pass_fds=[descriptor])
    said: list[str] = []
    with instance.only_one(tmp_path, said.append, LIMIT):
        assert left.poll() is not None or not alive(left.pid)
    assert said == ["An earlier run is still ending; waiting for it."]
    left.wait(LIMIT)


# ── keeping and ending ───────────────────────────────────────────────────────────────────────────────────


def test_what_dies_is_started_again_and_said_so() -> None:
    lines: list[tuple[str, str]] = []
    dies = python("worker 1", "print('here'); raise SystemExit(3)")
    with Supervisor([dies], on_line=lambda *line: lines.append(line), back_off=QUICKLY) as running:
        eventually(lambda: running.starts()["worker 1"] >= 3)
    assert lines.count(("worker 1", "here")) >= 2
    assert ("worker 1", "ended with status 3; starts again in 0.05 s") in lines


def test_what_is_killed_is_started_again_as_another_process() -> None:
    with Supervisor([python("web", STAY)], on_line=lambda *_: None, back_off=QUICKLY) as running:
        running.wait_ready(LIMIT)
        before = running.pids()["web"]
        os.kill(before, signal.SIGKILL)
        eventually(lambda: running.pids().get("web", before) != before)
        after = running.pids()["web"]
    assert not alive(after)


def test_a_program_that_cannot_be_started_is_tried_again() -> None:
    lines: list[tuple[str, str]] = []
    missing = Program("broker", ["/nowhere/valkey-server"], dict(os.environ))
    with Supervisor([missing], on_line=lambda *line: lines.append(line), back_off=QUICKLY) as running:
        eventually(lambda: running.starts()["broker"] >= 2)
    assert ("broker", "/nowhere/valkey-server cannot be started: No such file or directory.") in lines


def test_programs_needed_first_start_first_and_end_last(tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    code = (
        "import signal, sys, time\n"
        "def note(what):\n    open(sys.argv[1], 'a').write(what + ' ' + sys.argv[2] + '\\n')\n"
        "def end(*_):\n    note('end'); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end); note('begin'); time.sleep(600)\n"
    )

    def writer(name: str, *, needed_first: bool) -> Program:
        return Program(
            name, [sys.executable, "-c", code, str(diary), name], dict(os.environ), needed_first=needed_first,
            is_ready=lambda: diary.exists() and f"begin {name}" in diary.read_text(),
        )  # fmt: skip

    with Supervisor(
        [writer("worker", needed_first=False), writer("broker", needed_first=True)], on_line=lambda *_: None
    ) as running:
        running.wait_ready(LIMIT)
    assert diary.read_text().split("\n") == ["begin broker", "begin worker", "end worker", "end broker", ""]


def test_what_does_not_end_when_asked_is_killed_when_its_time_is_up() -> None:
    lines: list[str] = []
    stubborn = python("worker 1", STUBBORN, finishing_for=0.3)
    with Supervisor([stubborn], on_line=lambda _, line: lines.append(line)) as running:
        eventually(lambda: "on" in lines)
        pid = running.pids()["worker 1"]
    assert not alive(pid)
    assert lines[-1] == "did not end in time and is killed"


def test_what_does_not_end_when_asked_says_first_where_it_stands() -> None:
    lines: list[str] = []
    code = "from worker import stopping; stopping.explain_on_signal()\n" + STUBBORN
    stubborn = python("worker 1", code, finishing_for=1.3, explains=True)
    with Supervisor([stubborn], on_line=lambda _, line: lines.append(line)):
        eventually(lambda: "on" in lines)
    said = "\n".join(lines)
    assert "Current thread" in said
    assert 'File "<string>"' in said
    assert lines[-1] == "did not end in time and is killed"


def test_waiting_for_readiness_names_what_is_not_ready() -> None:
    never = python("web", STAY, is_ready=lambda: False)
    with (
        Supervisor([never, python("clock", STAY)], on_line=lambda *_: None) as running,
        pytest.raises(NotReady, match=r"Not ready after 0\.5 seconds: web\."),
    ):
        running.wait_ready(0.5)


def test_a_line_for_machines_and_expected_noise_are_not_shown() -> None:
    lines: list[str] = []
    code = f"print(8025); print('noise'); print('news'); {STAY}"
    says = python("mail server", code, announces=True, quiet_about=("noise",))
    with Supervisor([says], on_line=lambda _, line: lines.append(line)):
        eventually(lambda: lines)
    assert lines == ["news"]


# ── a killed supervisor ──────────────────────────────────────────────────────────────────────────────────

KILLABLE = f"""
import json, os, sys, time
from config.supervisor import Program, Supervisor, running
running.FINISHING_FOR = 1.0
lines = []
keep = Supervisor([
    Program("meek", [sys.executable, "-c", {STAY!r}], dict(os.environ)),
    Program("stubborn", [sys.executable, "-u", "-c", {STUBBORN!r}], dict(os.environ)),
], on_line=lambda name, line: lines.append(line))
keep.start()
keep.wait_ready(20)
while "on" not in lines:
    time.sleep(0.02)
print(json.dumps(keep.pids() | {{"guardian": keep._guardian.pid}}), flush=True)
time.sleep(600)
"""


@contextlib.contextmanager
def killable() -> Iterator[tuple[subprocess.Popen[str], dict[str, int]]]:
    command = [sys.executable, "-c", KILLABLE]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        pids: dict[str, int] = json.loads(process.stdout.readline())
        try:
            yield process, pids
        finally:
            process.kill()
            for pid in pids.values():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def test_a_killed_supervisor_leaves_no_orphan_not_even_a_stubborn_one() -> None:
    with killable() as (process, pids):
        assert all(alive(pid) for pid in pids.values())
        process.kill()
        process.wait(LIMIT)
        eventually(lambda: not alive(pids["meek"]), within=2)
        eventually(lambda: not any(alive(pid) for pid in pids.values()))


def test_a_killed_guardian_is_replaced_before_it_is_needed() -> None:
    with killable() as (process, pids):
        os.kill(pids["guardian"], signal.SIGKILL)
        eventually(lambda: not alive(pids["guardian"]))
        time.sleep(1)
        process.kill()
        process.wait(LIMIT)
        eventually(lambda: not any(alive(pid) for pid in pids.values()))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent has ended")
def test_the_kernel_alone_ends_the_children_when_the_guardian_dies_with_the_supervisor() -> None:
    with killable() as (process, pids):
        process.send_signal(signal.SIGSTOP)
        os.kill(pids["guardian"], signal.SIGKILL)
        process.kill()
        process.wait(LIMIT)
        eventually(lambda: not alive(pids["meek"]))


# ── the real programs ────────────────────────────────────────────────────────────────────────────────────


def ask(path: Path, *words: str) -> str:
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(5)
        line.connect(str(path))
        line.sendall(" ".join(words).encode() + b"\r\n")
        return line.recv(4096).decode()


@pytest.mark.servers
def test_the_broker_is_ours_alone_and_keeps_its_jobs_through_a_kill(tmp_path: Path) -> None:
    path = broker.socket_path(tmp_path)
    program = broker_program(tmp_path, path, dict(os.environ))
    with Supervisor([program], on_line=lambda *_: None, back_off=QUICKLY) as running:
        running.wait_ready(LIMIT)
        assert path.stat().st_mode & 0o777 == 0o700
        assert ask(path, "SET", "job", "waits") == "+OK\r\n"
        time.sleep(1.5)  # its file is forced to the disk each second
        os.kill(running.pids()["broker"], signal.SIGKILL)
        eventually(lambda: running.starts()["broker"] == 2 and broker.answers(path))
        assert ask(path, "GET", "job") == "$5\r\nwaits\r\n"
    assert not broker.answers(path)


@pytest.mark.servers
def test_the_mail_server_comes_back_on_the_same_port(tmp_path: Path) -> None:
    port = ports.free_port()
    program = mail_server_program(tmp_path, port, dict(os.environ))
    lines: list[str] = []
    with Supervisor([program], on_line=lambda _, line: lines.append(line), back_off=QUICKLY) as running:
        running.wait_ready(LIMIT)
        os.kill(running.pids()["mail server"], signal.SIGKILL)
        eventually(lambda: running.starts()["mail server"] == 2 and readiness.greets(port))
    assert lines == ["was ended by SIGKILL; starts again in 0.05 s"]


class Up:
    """`manage.py up` on a directory of its own."""

    def __init__(self, directory: Path, port: int, **settings: str) -> None:
        environment = {name: value for name, value in os.environ.items() if name not in OUTSIDE}
        environment |= {"POSTBAG_DATA": str(directory), "PORT": str(port), "WORKERS": "1"} | settings
        self.port = port
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "up"], cwd=ROOT, env=environment,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self.said = ""

    def until_ready(self) -> dict[str, int]:
        """Return name → process id, as printed."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said += line
            if line.startswith("Ctrl-C"):
                break
        assert "Postbag is ready." in self.said, self.said
        running = next(line for line in self.said.splitlines() if line.startswith("  Running"))
        named = re.findall(r"([a-z][a-z 0-9]*) \((\d+)\)", running.split("Running")[1])
        return {name: int(pid) for name, pid in named}

    def rest(self) -> str:
        """Return what it says until it ends."""
        self.said += self.process.communicate(timeout=60)[0]
        return self.said


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Callable[..., Up]]:
    begun: list[Up] = []

    def begin(directory: Path = tmp_path, port: int | None = None, **settings: str) -> Up:
        begun.append(Up(directory, port or ports.free_port(), **settings))
        return begun[-1]

    yield begin
    for one in begun:
        if one.process.poll() is None:
            one.process.kill()
        one.process.communicate(timeout=60)


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


@pytest.mark.servers
@pytest.mark.slow
def test_up_starts_everything_says_where_and_ends_on_sigterm(tmp_path: Path, up: Callable[..., Up]) -> None:
    started = up()
    pids = started.until_ready()
    assert set(pids) == {"broker", "mail server", "web", "worker 1", "clock"}
    assert answers(started.port)
    for place in ("/", "/organise/", "/postbox/"):
        assert f"http://localhost:{started.port}{place}" in started.said
    assert "First sign-in" in started.said

    second = up(tmp_path, ports.free_port())
    assert f"already running on {tmp_path} (process {started.process.pid})" in second.rest()
    assert second.process.returncode == 1

    started.process.send_signal(signal.SIGTERM)
    assert "Postbag has ended." in started.rest()
    assert started.process.returncode == 0
    assert not any(alive(pid) for pid in pids.values())

    again = up(tmp_path, started.port)
    again.until_ready()
    assert "First sign-in" not in again.said
    again.process.send_signal(signal.SIGINT)
    again.rest()
    assert again.process.returncode == 0


@pytest.mark.servers
@pytest.mark.slow
def test_up_starts_again_at_once_on_what_a_kill_left(tmp_path: Path, up: Callable[..., Up]) -> None:
    killed = up()
    before = killed.until_ready()
    killed.process.kill()
    again = up(tmp_path, killed.port)
    after = again.until_ready()
    assert not any(alive(pid) for pid in before.values())
    assert answers(killed.port)
    assert set(after) == set(before)


@pytest.mark.servers
def test_up_says_in_one_sentence_that_its_port_is_taken(up: Callable[..., Up]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        refused = up(port=port)
        assert f"Postbag does not start: Port {port} is in use by another program." in refused.rest()
    assert refused.process.returncode == 1
    assert "Traceback" not in refused.said


@pytest.mark.servers
@pytest.mark.parametrize(
    ("setting", "value", "sentence"),
    [
        ("PORT", "eighty", "PORT=eighty is not a whole number"),
        ("WORKERS", "0", "WORKERS=0 is not a whole number from 1 to 64"),
        ("EMAIL_URL", "gopher://x", "EMAIL_URL is not the address of a mail server"),
        ("HOST", "192.0.2.1", "HOST=192.0.2.1 is not an address of this machine"),
    ],
)
def test_up_refuses_a_wrong_setting_in_one_sentence(
    up: Callable[..., Up], setting: str, value: str, sentence: str
) -> None:
    refused = up(**{setting: value})
    assert f"Postbag does not start: {sentence}" in refused.rest()
    assert refused.process.returncode == 1
    assert "Traceback" not in refused.said
