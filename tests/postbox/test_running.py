"""The postbox as a process: it opens, says where, and never outlives whoever started it."""

import select
import signal
import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from postbox.__main__ import FILE_NAME
from postbox.store import Store

pytestmark = pytest.mark.servers

ROOT = Path(__file__).parents[2]
LIMIT = 15


def line_of(stream: IO[str]) -> str:
    ready, _, _ = select.select([stream], [], [], LIMIT)
    assert ready, "no line came in time"
    return stream.readline()


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def ends_within(port: int, seconds: float) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not listens(port):
            return True
        time.sleep(0.05)
    return False


@contextmanager
def started(*command: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, *command], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_says_its_port_keeps_mail_and_ends_cleanly(tmp_path: Path, how: signal.Signals) -> None:
    with started("-m", "postbox", "--data", str(tmp_path), "--port", "0") as process:
        assert process.stdout is not None
        port = int(line_of(process.stdout))
        with smtplib.SMTP("127.0.0.1", port, timeout=LIMIT) as client:
            client.sendmail("dana@people.example", ["mr.target@office.example"], "Subject: x\r\n\r\n")
            process.send_signal(how)
            assert process.wait(LIMIT) == 0
        assert process.stdout.read() == ""
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert Store(tmp_path / FILE_NAME).summary().received == 1


def test_what_was_accepted_survives_a_kill(tmp_path: Path) -> None:
    with started("-m", "postbox", "--data", str(tmp_path)) as process:
        assert process.stdout is not None
        client = smtplib.SMTP("127.0.0.1", int(line_of(process.stdout)), timeout=LIMIT)
        for _ in range(20):
            client.sendmail("dana@people.example", ["mr.target@office.example"], "Subject: x\r\n\r\n")
        process.kill()
        process.wait(LIMIT)
        client.close()
    assert Store(tmp_path / FILE_NAME).summary().received == 20


def test_it_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    parent = (
        "import subprocess, sys, time\n"
        f"subprocess.Popen([sys.executable, '-m', 'postbox', '--data', {str(tmp_path)!r}])\n"
        "time.sleep(60)\n"
    )
    with started("-c", parent) as process:
        assert process.stdout is not None
        port = int(line_of(process.stdout))
        assert listens(port)
        process.kill()
        process.wait(LIMIT)
        assert ends_within(port, 5)


def test_it_outlives_the_thread_that_started_it(tmp_path: Path) -> None:
    parent = (
        "import subprocess, sys, threading, time\n"
        f"go = lambda: (subprocess.Popen([sys.executable, '-m', 'postbox', '--data', {str(tmp_path)!r}]),"
        " time.sleep(1))\n"
        "thread = threading.Thread(target=go); thread.start(); thread.join()\n"
        "time.sleep(60)\n"
    )
    with started("-c", parent) as process:
        assert process.stdout is not None
        port = int(line_of(process.stdout))
        time.sleep(2)
        assert listens(port)
        process.kill()
        process.wait(LIMIT)
        assert ends_within(port, 5)


@pytest.mark.parametrize("wrong", [["--host", "192.0.2.1"], ["--port", "70000"]])
def test_it_says_in_one_line_why_it_cannot_open(tmp_path: Path, wrong: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "postbox", "--data", str(tmp_path), *wrong],
        cwd=ROOT, capture_output=True, text=True, timeout=LIMIT, check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("postbox: ")
    assert done.stderr.count("\n") == 1
