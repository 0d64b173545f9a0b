"""What a host remembers outside the database: whole or not at all, and only where it was written."""

import json
import os
import shutil
import subprocess
import threading
import time
from pathlib import Path

import pytest

from letters import state_file
from letters.state_file import Memory

ONE, OTHER = "1" * 32, "2" * 32


@pytest.fixture
def keeps_birth(tmp_path: Path) -> None:
    """Leave out a test where the file system does not keep when a file was made."""
    state_file.write(tmp_path / "trial", ONE, 1)
    if json.loads((tmp_path / "trial" / state_file.NAME).read_text())["made"] is None:
        pytest.skip("this file system does not keep when a file was made")


def test_what_was_written_is_remembered(tmp_path: Path) -> None:
    assert state_file.read(tmp_path) is None
    state_file.write(tmp_path / "new" / "directory", ONE, 7)
    assert state_file.read(tmp_path / "new" / "directory") == Memory(ONE, 7)


def test_an_epoch_only_rises_unless_the_installation_is_another(tmp_path: Path) -> None:
    for identity, epoch, remembered in ((ONE, 7, 7), (ONE, 5, 7), (ONE, 9, 9), (OTHER, 3, 3)):
        state_file.raise_to(tmp_path, identity, epoch)
        assert state_file.read(tmp_path) == Memory(identity, remembered)


def test_nothing_is_left_beside_the_file_and_nobody_else_may_read_it(tmp_path: Path) -> None:
    for epoch in range(5):
        state_file.write(tmp_path, ONE, epoch)
    assert [path.name for path in tmp_path.iterdir()] == [state_file.NAME]
    assert (tmp_path / state_file.NAME).stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("keeps_birth")
@pytest.mark.parametrize("how", ["cp -a", "cp over the old one", "tar"])
def test_a_copy_put_back_is_told_from_the_file_that_was_written_here(tmp_path: Path, how: str) -> None:
    """Times, owner, name and bytes are the same; when its inode was made is not."""
    state_file.write(tmp_path, ONE, 7)
    kept = tmp_path / "backup"
    time.sleep(0.02)  # the clock of a file system has ticks
    subprocess.run(["cp", "-a", tmp_path / state_file.NAME, kept], check=True)
    state_file.write(tmp_path, ONE, 8)
    time.sleep(0.02)
    here = tmp_path / state_file.NAME
    match how:
        case "cp -a":
            here.unlink()
            subprocess.run(["cp", "-a", kept, here], check=True)
        case "cp over the old one":
            subprocess.run(["cp", kept, here], check=True)
        case "tar":
            kept.rename(tmp_path / "instance.json.kept")
            (tmp_path / "in").mkdir()
            shutil.copy2(tmp_path / "instance.json.kept", tmp_path / "in" / state_file.NAME)
            subprocess.run(["tar", "-C", tmp_path / "in", "-cf", tmp_path / "a.tar", state_file.NAME], check=True)
            subprocess.run(["tar", "-C", tmp_path, "-xpf", tmp_path / "a.tar"], check=True)
    memory = state_file.read(tmp_path)
    assert memory is not None
    assert (memory.identity, memory.epoch, memory.is_copy) == (ONE, 7, True)
    state_file.raise_to(tmp_path, ONE, 7)
    assert state_file.read(tmp_path) == Memory(ONE, 7)


@pytest.mark.usefixtures("keeps_birth")
@pytest.mark.parametrize("machine", ["a1b2", "", None])
def test_a_copy_put_back_is_told_from_one_started_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, machine: str | None
) -> None:
    """By directory and machine, where the machine has an id; else the copy counts as one from elsewhere."""
    named = tmp_path / "machine-id"
    if machine is not None:
        named.write_text(f"{machine}\n")
    monkeypatch.setattr(state_file, "_MACHINE_ID", named)
    state_file.write(tmp_path / "data", ONE, 7)
    time.sleep(0.02)
    shutil.copytree(tmp_path / "data", tmp_path / "kept")
    (tmp_path / "data" / state_file.NAME).unlink()
    shutil.copy2(tmp_path / "kept" / state_file.NAME, tmp_path / "data")
    assert state_file.read(tmp_path / "data") == Memory(ONE, 7, is_copy=True, is_from_here=bool(machine))
    assert state_file.read(tmp_path / "kept") == Memory(ONE, 7, is_copy=True, is_from_here=False)
    named.write_text("another machine")
    assert state_file.read(tmp_path / "data") == Memory(ONE, 7, is_copy=True, is_from_here=False)


@pytest.mark.usefixtures("keeps_birth")
def test_what_operators_do_to_files_makes_no_copy_of_it(tmp_path: Path) -> None:
    """Another mode, other times, another name and back, another directory of the same disk."""
    place = tmp_path / "data"
    state_file.write(place, ONE, 7)
    here = place / state_file.NAME
    here.chmod(0o640)
    os.utime(here, (1, 1))
    os.chown(here, os.getuid(), os.getgid())
    here.rename(place / "aside")
    (place / "aside").rename(here)
    place.rename(tmp_path / "moved")
    assert state_file.read(tmp_path / "moved") == Memory(ONE, 7)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"id": "x", "epoch": 1, "made": null}', '{"id": 5}', "\x00\xff",
             '{"id": "' + "1" * 32 + '", "epoch": "many", "made": null}'],
)  # fmt: skip
def test_what_cannot_be_understood_is_no_memory(tmp_path: Path, text: str) -> None:
    (tmp_path / state_file.NAME).write_text(text, encoding="latin-1")
    with pytest.raises(state_file.Unreadable):
        state_file.read(tmp_path)


def test_a_file_system_that_keeps_no_birth_makes_no_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state_file.write(tmp_path, ONE, 7)
    monkeypatch.setattr(state_file, "_born", lambda _descriptor: None)
    assert state_file.read(tmp_path) == Memory(ONE, 7)
    state_file.write(tmp_path, ONE, 8)
    monkeypatch.undo()
    assert state_file.read(tmp_path) == Memory(ONE, 8)


def test_a_writer_that_is_stopped_half_way_leaves_what_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state_file.write(tmp_path, ONE, 7)

    def no_disk(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_disk)
    with pytest.raises(OSError, match="No space"):
        state_file.write(tmp_path, ONE, 8)
    assert state_file.read(tmp_path) == Memory(ONE, 7)
    assert [path.name for path in tmp_path.iterdir()] == [state_file.NAME]


def test_processes_wait_for_each_other_but_not_for_ever(tmp_path: Path) -> None:
    inside, over = threading.Event(), threading.Event()

    def hold() -> None:
        with state_file.alone(tmp_path, seconds=5):
            inside.set()
            over.wait(20)

    holder = threading.Thread(target=hold)
    holder.start()
    assert inside.wait(5)
    begun = time.monotonic()
    with state_file.alone(tmp_path, seconds=0.3):
        assert time.monotonic() - begun >= 0.3
    threading.Timer(0.2, over.set).start()
    with state_file.alone(tmp_path, seconds=20):
        assert over.is_set()
    holder.join()
