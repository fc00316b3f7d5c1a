"""Files that cross stages: written whole or not at all, read with checks, hashed by content."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resnet_sizes.io.errors import UserError
from resnet_sizes.io.files import (
    read_record,
    write_atomically,
    write_json,
    write_json_if_changed,
    write_text,
)
from resnet_sizes.io.hashes import canonical_json, content_hash
from resnet_sizes.schemas.evidence.values import Values

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@given(data=plain)
def test_the_hash_follows_the_content_not_the_order_of_keys(data):
    reordered = json.loads(json.dumps(data), object_pairs_hook=lambda pairs: dict(pairs[::-1]))
    assert content_hash(data) == content_hash(reordered)
    assert json.loads(canonical_json(data)) == data


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    target = tmp_path / "file.txt"
    write_text(target, "old")

    def fail_half_way(temporary: Path) -> None:
        temporary.write_text("half")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_atomically(target, fail_half_way)
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["file.txt"]


def test_an_unchanged_file_keeps_its_time(tmp_path):
    target = tmp_path / "file.json"
    write_json_if_changed(target, {"a": 1})
    before = target.stat()
    write_json_if_changed(target, {"a": 1})
    assert (target.stat().st_mtime_ns, target.stat().st_ino) == (before.st_mtime_ns, before.st_ino)
    write_json_if_changed(target, {"a": 2})
    assert json.loads(target.read_bytes()) == {"a": 2}


def test_a_damaged_file_is_written_again(tmp_path: Path) -> None:
    target = tmp_path / "study.json"
    target.write_bytes(b'{"a": "\xff\xfe"}')
    write_json_if_changed(target, {"a": 1})
    assert json.loads(target.read_bytes()) == {"a": 1}


def test_temporary_files_of_killed_processes_are_removed_after_a_day(tmp_path: Path) -> None:
    names = [".a[b].json.x1.tmp.json", ".a[b].json.x2.tmp.json", ".a.json.x3.tmp.json"]
    left, young, of_another = (tmp_path / name for name in names)
    for path in (left, young, of_another):
        path.touch()
    for path in (left, of_another):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    write_json(tmp_path / "a[b].json", {})
    assert sorted(tmp_path.iterdir()) == sorted([young, of_another, tmp_path / "a[b].json"])


def test_numbers_that_json_does_not_know_are_not_written(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "file.json", {"loss": float("nan")})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, "no such file"),
        ('{"schema_version": 1, "study": "x", "val', "is not complete JSON"),
        ('{"schema_version": 1, "study": "x"}', "values: is missing"),
        ("[]", "is not a valid Values"),
    ],
)
def test_a_broken_file_is_named_with_its_problem_and_the_remedy(tmp_path, text, expected):
    path = tmp_path / "values.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UserError) as caught:
        read_record(path, Values, "Make it again with: resnet-sizes evidence")
    for part in (str(path), expected, "Make it again with: resnet-sizes evidence"):
        assert part in str(caught.value)


def test_a_file_of_a_newer_version_asks_for_that_version(tmp_path):
    path = tmp_path / "values.json"
    path.write_text('{"schema_version": 2, "study": "x", "values": {}}')
    with pytest.raises(UserError, match="was made by a newer version of resnet-sizes") as caught:
        read_record(path, Values, "Make it again with: resnet-sizes evidence")
    assert "pip install -U resnet-sizes" in str(caught.value)
    assert "Make it again" not in str(caught.value)
