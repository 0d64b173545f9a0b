"""The set-up does its work once, and again when something it depends on has changed."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from config.supervisor import virtual_environment as setting_up

NAMES = ["requirements.txt"]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose environment is finished, as far as files can tell."""
    place = tmp_path / ".venv"
    (place / "bin").mkdir(parents=True)
    for name in ("pip", "python"):
        (place / "bin" / name).touch()
    (tmp_path / "requirements.txt").write_text("one==1\n")
    (tmp_path / "requirements-dev.txt").write_text("two==2\n")
    monkeypatch.setattr(setting_up, "ROOT", tmp_path)
    monkeypatch.setattr(setting_up, "PLACE", place)
    monkeypatch.setattr(setting_up, "PYTHON", place / "bin" / "python")
    monkeypatch.setattr(setting_up, "STAMP", place / "made-from.json")
    monkeypatch.setattr(setting_up, "UNFINISHED", place / "unfinished")
    (place / "made-from.json").write_text(json.dumps(setting_up.made_from(NAMES)))
    return place


def test_a_second_start_has_nothing_to_do(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert not setting_up.needs_making(NAMES)
    assert setting_up.main([]) == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    "change",
    [
        lambda place: (place / "bin" / "pip").unlink(),  # what Debian leaves without python3-venv
        lambda place: (place / "bin" / "python").unlink(),
        lambda place: (place / "unfinished").touch(),
        lambda place: (place / "made-from.json").unlink(),
        lambda place: (place / "made-from.json").write_text("{"),
        lambda place: (place.parent / "requirements.txt").write_text("one==2\n"),
    ],
    ids=["no pip", "no python", "interrupted", "no stamp", "spoilt stamp", "new requirements"],
)
def test_whatever_is_missing_or_changed_is_made_again(place: Path, change: Callable[[Path], None]) -> None:
    change(place)
    assert setting_up.needs_making(NAMES)


def test_a_copied_project_does_not_use_the_originals_environment(place: Path) -> None:
    made = json.loads((place / "made-from.json").read_text())
    (place / "made-from.json").write_text(json.dumps(made | {"place": "/elsewhere/.venv"}))
    assert setting_up.needs_making(NAMES)


def test_the_tests_packages_are_asked_for_only_by_the_tests(place: Path) -> None:
    assert setting_up.needs_making([*NAMES, "requirements-dev.txt"])


def test_without_any_pip_it_names_the_package_and_leaves_nothing_half_made(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "bin" / "pip").unlink()
    for way in ("_has_ensurepip", "_install_venv_package", "_own_pip_installs_pip"):
        monkeypatch.setattr(setting_up, way, lambda: False)
    monkeypatch.setattr(setting_up, "_pip_from_archive", lambda _: None)
    assert setting_up.main([]) == 1
    assert "Install the package python3-venv" in capsys.readouterr().err
    assert not place.exists()
