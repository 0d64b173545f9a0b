"""The rehearsal, run as `./run --rehearse` runs it: on the database that DATABASE_URL names, else on SQLite."""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import redis

from config.supervisor import broker
from postbox.store import Store
from tests.gate import OUTSIDE

pytestmark = pytest.mark.servers

ROOT = Path(__file__).resolve().parents[2]
KEPT = {"DATABASE_URL"}
SECONDS = 150


def rehearse(*arguments: str, watch: Any = None) -> tuple[int, str]:
    """Run the command; `watch(pid)` may interfere meanwhile. Return the exit status and what was printed."""
    settings = {name: value for name, value in os.environ.items() if name not in OUTSIDE - KEPT}
    settings |= {"DJANGO_SETTINGS_MODULE": "config.settings", "SECRET_KEY": "for rehearsals in tests, and long enough"}
    process = subprocess.Popen([sys.executable, "manage.py", "rehearse", *arguments], cwd=ROOT, env=settings,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)  # fmt: skip
    if watch is not None:
        threading.Thread(target=watch, args=(process.pid,), daemon=True).start()
    try:
        said, _ = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=60)
        pytest.fail(f"not over within {SECONDS} s:\n{said}")
    return process.returncode, said


def closing(said: str) -> dict[str, Any]:
    """Return the object on the last line."""
    result = json.loads(said.strip().splitlines()[-1])
    assert isinstance(result, dict)
    return result


@pytest.mark.either_pair
@pytest.mark.slow
def test_every_letter_of_twenty_supporters_arrives_once_and_the_ledger_adds_up() -> None:
    status, said = rehearse("20", "--exit", "--own-words", "0.5")
    assert status == 0, said
    result = closing(said)
    assert result["adds_up"] is True
    assert result["letters"] == 60
    assert result["states"] == {"sent": result["deliveries"]}
    assert result["received"] == result["deliveries"] == result["distinct_message_ids"] > 1000
    assert "2 of them through the pages" in said
    assert 0 <= result["alike_share"] < 0.1


@pytest.mark.either_pair
@pytest.mark.slow
def test_a_killed_worker_and_an_emptied_broker_lose_nothing() -> None:
    done: list[str] = []

    def interfere(pid: int) -> None:
        for _ in range(600):
            workers = [one for one in _descendants(pid) if "manage.py work" in _command(one)]
            data = _data_directory(pid)
            if workers and data and Store(data / "postbox.sqlite3").summary().letters > 200:
                os.kill(workers[0], signal.SIGKILL)
                with redis.Redis(unix_socket_path=str(broker.socket_path(data))) as connection:
                    connection.flushall()
                done.append("killed and emptied")
                return
            threading.Event().wait(0.2)

    status, said = rehearse("40", "--exit", watch=interfere)
    assert done == ["killed and emptied"], said
    assert status == 0, said
    result = closing(said)
    assert result["states"] == {"sent": result["deliveries"]}
    assert result["distinct_message_ids"] == result["deliveries"]
    assert result["received"] - result["deliveries"] == result["extra_copies"] <= result["ambiguous"]
    assert "Started again" in said


@pytest.mark.parametrize("server", ["192.0.2.7:25", "mail.example:25", "127.0.0.1:0", "127.0.0.1", ":25", "[::2]:25"])
def test_a_mail_server_elsewhere_is_refused(server: str) -> None:
    status, said = rehearse("5", "--exit", "--smtp", server)
    assert status != 0
    assert "this machine only" in said
    assert "Traceback" not in said


@pytest.mark.slow
def test_the_simulation_sends_nothing_and_reckons_with_the_usual_pace() -> None:
    status, said = rehearse("16000", "--simulate")
    assert status == 0, said
    result = closing(said)
    assert result["deliveries"] == 16_000 * 65
    assert result["paces"]["usual"] == (16_000 // 60) * 3600  # the last sixty leave in the 267th hour


def _descendants(pid: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found, todo = [], [pid]
    while todo:
        below = children.get(todo.pop(), [])
        found += below
        todo += below
    return found


def _command(pid: int) -> str:
    try:
        return (Path("/proc") / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def _data_directory(pid: int) -> Path | None:
    """Return where the rehearsal keeps its files, as its mail server was told."""
    for one in _descendants(pid):
        words = _command(one).split()
        if "postbox" in words and "--data" in words:
            return Path(words[words.index("--data") + 1])
    return None
