"""Files that are copied together: all of them or none, in their order."""

import errno
import os
import shutil
import stat
from pathlib import Path

import pytest

from resnet_sizes.io.errors import WriteError
from resnet_sizes.io.files import copy_together

NAMES = ("b", "a", "c.html")


@pytest.fixture
def sources(tmp_path: Path) -> list[Path]:
    """New files, and a folder `made` with old ones of the same names but for the first."""
    made = [tmp_path / "new" / name for name in NAMES]
    (tmp_path / "new").mkdir()
    (tmp_path / "made").mkdir()
    for path in made:
        path.write_text("new")
    for name in NAMES[1:]:
        (tmp_path / "made" / name).write_text("old")
    return made


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_all_are_copied_and_can_be_read_by_others(tmp_path: Path, sources: list[Path]) -> None:
    copy_together(sources, tmp_path / "made")
    assert contents(tmp_path / "made") == dict.fromkeys(NAMES, "new")
    assert contents(tmp_path / "new") == dict.fromkeys(NAMES, "new")
    plain = tmp_path / "plain"
    plain.touch()
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "made").iterdir()}
    assert modes == {stat.S_IMODE(plain.stat().st_mode)}


def test_where_one_cannot_be_copied_all_old_ones_stay_and_it_is_named(
    tmp_path: Path, sources: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = shutil.copyfile

    def full_at_the_last(source: Path, target: Path) -> None:
        if source.name == NAMES[-1]:
            target.write_text("half")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        copy(source, target)

    monkeypatch.setattr(shutil, "copyfile", full_at_the_last)
    with pytest.raises(WriteError, match=r"made/c\.html: cannot be written \(No space left"):
        copy_together(sources, tmp_path / "made")
    assert contents(tmp_path / "made") == dict.fromkeys(NAMES[1:], "old")


def test_names_change_in_the_order_given_once_all_is_on_the_disk(
    tmp_path: Path, sources: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = Path.replace
    renamed = []

    def noted(temporary: Path, target: Path) -> Path:
        if not renamed:
            waiting = [path for path in target.parent.iterdir() if path.name.startswith(".")]
            assert [path.read_text() for path in waiting] == ["new"] * len(NAMES)
        renamed.append(target.name)
        return replace(temporary, target)

    monkeypatch.setattr(Path, "replace", noted)
    copy_together(sources, tmp_path / "made")
    assert renamed == list(NAMES)


def test_what_a_killed_process_left_is_removed_after_a_day(
    tmp_path: Path, sources: list[Path]
) -> None:
    old, young = (tmp_path / "made" / f".a.x{number}.tmp" for number in (1, 2))
    old.touch()
    young.touch()
    os.utime(old, (1_000_000_000, 1_000_000_000))
    copy_together(sources, tmp_path / "made")
    assert sorted(contents(tmp_path / "made")) == sorted([young.name, *NAMES])
