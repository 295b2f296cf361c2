"""Files that are written anew are noticed: once, when they rest."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from gui.watch import FileWatch

NEVER = 3600.0


@pytest.fixture
def heard() -> list[Path]:
    return []


@pytest.fixture
def watch(heard: list[Path]) -> Iterator[FileWatch]:
    """A watch that looks when it is told to."""
    made = FileWatch(heard.append, interval_s=NEVER)
    yield made
    made.close()


@pytest.fixture
def file(tmp_path: Path, watch: FileWatch) -> Path:
    path = tmp_path / "bake.exr"
    path.write_bytes(b"first")
    watch.follow([path])
    watch.look()
    return path


def test_a_file_that_is_left_alone_is_never_told_of(watch: FileWatch, file: Path, heard: list[Path]) -> None:
    for _ in range(3):
        watch.look()
    assert heard == []


def test_a_file_is_told_of_once_it_rests(watch: FileWatch, file: Path, heard: list[Path]) -> None:
    file.write_bytes(b"half of the sec")
    watch.look()
    file.write_bytes(b"half of the second bake")
    watch.look()
    assert heard == []
    watch.look()
    watch.look()
    assert heard == [file]


def test_a_file_that_another_was_renamed_over_is_told_of(watch: FileWatch, file: Path, heard: list[Path]) -> None:
    before = file.stat()
    other = file.with_suffix(".tmp")
    other.write_bytes(b"other")
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))  # the same size and time: another file all the same
    other.replace(file)
    watch.look()
    watch.look()
    assert heard == [file]


def test_a_file_that_goes_and_comes_back_is_told_of_when_it_is_back(
    watch: FileWatch, file: Path, heard: list[Path]
) -> None:
    file.unlink()
    watch.look()
    watch.look()
    assert heard == []
    file.write_bytes(b"another bake")
    watch.look()
    watch.look()
    assert heard == [file]


def test_files_that_are_not_followed_any_more_are_forgotten(watch: FileWatch, file: Path, heard: list[Path]) -> None:
    watch.follow([])
    watch.look()
    file.write_bytes(b"while nobody looked")
    watch.follow([file])
    watch.look()
    watch.look()
    assert heard == []
