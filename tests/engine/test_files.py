"""A file is written whole or not at all, and a failure is one plain line."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine.errors import EngineError
from engine.files import atomic_write, write_error


def test_the_bytes_arrive_and_nothing_else_is_left(tmp_path):
    atomic_write(tmp_path / "a.bin", b"one")
    atomic_write(tmp_path / "a.bin", b"two")
    assert (tmp_path / "a.bin").read_bytes() == b"two"
    assert [path.name for path in tmp_path.iterdir()] == ["a.bin"]


def test_the_new_file_has_the_rights_that_any_new_file_gets(tmp_path):
    old = os.umask(0o027)
    try:
        atomic_write(tmp_path / "a.bin", b"x")
    finally:
        os.umask(old)
    assert (tmp_path / "a.bin").stat().st_mode & 0o777 == 0o640


def test_a_rewritten_file_keeps_its_rights(tmp_path):
    path = tmp_path / "a.bin"
    path.touch()
    path.chmod(0o604)
    atomic_write(path, b"x")
    assert path.stat().st_mode & 0o777 == 0o604


def test_a_link_keeps_pointing_to_its_file(tmp_path):
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    atomic_write(tmp_path / "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.ENOSPC, "disk is full"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "no permission"),
        (errno.EIO, "could not"),
    ],
)
@pytest.mark.parametrize("step", ["open", "fsync"])
def test_a_failure_leaves_the_old_file_and_says_why(tmp_path, monkeypatch, code, words, step):
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")

    def fail(*_args: object) -> int:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(f"engine.files.os.{step}", fail)
    with pytest.raises(EngineError, match=words) as caught:
        atomic_write(path, b"new")
    assert str(caught.value).startswith(str(path)) and "\n" not in str(caught.value)
    assert path.read_bytes() == b"old"
    assert [found.name for found in tmp_path.iterdir()] == ["a.bin"]


def test_links_in_a_circle_are_told_in_plain_words(tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(EngineError, match="circle"):
        atomic_write(tmp_path / "a", b"new")


@pytest.mark.skipif(sys.platform != "linux", reason="needs a limit on the size of files")
def test_a_file_size_limit_leaves_the_old_file_and_says_why(tmp_path):
    (tmp_path / "a.bin").write_bytes(b"old")
    program = (
        "import resource, signal; from engine.files import atomic_write;"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000));"
        f"atomic_write({str(tmp_path / 'a.bin')!r}, bytes(5000))"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "larger than is allowed" in ended.stderr
    assert [(found.name, found.read_bytes()) for found in tmp_path.iterdir()] == [("a.bin", b"old")]


@pytest.mark.skipif(os.name != "posix", reason="needs kill -9")
def test_a_kill_before_the_rename_leaves_the_old_file(tmp_path):
    (tmp_path / "a.bin").write_bytes(b"old")
    program = (
        "import os, signal; from engine import files;"
        "os.fsync = lambda descriptor: os.kill(os.getpid(), signal.SIGKILL);"
        f"files.atomic_write({str(tmp_path / 'a.bin')!r}, b'new')"
    )
    ended = subprocess.run([sys.executable, "-c", program], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert (tmp_path / "a.bin").read_bytes() == b"old"


def test_an_interruption_leaves_no_temporary_file(tmp_path, monkeypatch):
    def interrupt(_descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("engine.files.os.fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        atomic_write(tmp_path / "a.bin", b"new")
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_a_file_is_refused(tmp_path):
    with pytest.raises(EngineError, match="is a folder"):
        atomic_write(tmp_path, b"x")
    with pytest.raises(EngineError, match="folder does not exist"):
        atomic_write(tmp_path / "absent" / "a.bin", b"x")
    (tmp_path / "file").touch()
    with pytest.raises(EngineError, match="is a file, not a folder"):
        atomic_write(tmp_path / "file" / "a.bin", b"x")
    with pytest.raises(EngineError, match="name is too long"):
        atomic_write(tmp_path / ("n" * 300), b"x")


@pytest.mark.skipif(not Path("/dev/null").exists(), reason="needs devices in the file system")
def test_a_device_is_never_replaced():
    with pytest.raises(EngineError, match="not a regular file"):
        atomic_write("/dev/null", b"x")


@pytest.mark.parametrize(
    ("code", "words", "hint"),
    [
        (errno.ENOSPC, "the disk is full", "free some space or choose another folder"),
        (errno.EDQUOT, "the disk quota is used up", "free some space or choose another folder"),
        (errno.EROFS, "the folder is read-only", "choose another folder"),
        (errno.EACCES, "no permission to write there", "choose another folder"),
        (errno.EPERM, "no permission to write there", "choose another folder"),
        (errno.ENOENT, "the folder does not exist", "create it first"),
        (errno.ENOTDIR, "a part of the path is a file, not a folder", "choose another folder"),
        (errno.ENAMETOOLONG, "the file name is too long", "choose a shorter one"),
        (errno.EFBIG, "the file would be larger than is allowed there", "choose another folder"),
        (errno.EIO, "input/output error", ""),
    ],
)
def test_each_reason_has_its_words_and_its_remedy(code, words, hint):
    error = write_error(OSError(code, os.strerror(code)), Path("a.bin"))
    assert (error.message, error.hint, error.path) == (f"could not be written: {words}", hint, Path("a.bin"))


def test_an_error_without_a_text_of_its_own_is_told_by_what_it_says():
    assert write_error(OSError("Odd Thing"), Path("a")).message == "could not be written: odd thing"


def test_the_file_and_its_folder_are_synced_before_it_is_said_to_be_written(tmp_path, monkeypatch):
    synced, really = [], os.fsync

    def sync(descriptor: int) -> None:
        synced.append(os.path.realpath(f"/proc/self/fd/{descriptor}"))
        really(descriptor)

    monkeypatch.setattr("engine.files.os.fsync", sync)
    open_files = Path("/proc/self/fd")
    before = len(list(open_files.iterdir())) if open_files.exists() else 0
    atomic_write(tmp_path / "a.bin", b"x")
    assert len(synced) == 2
    if before:
        assert synced[0].endswith(".part") and synced[1] == os.path.realpath(tmp_path)
        assert len(list(open_files.iterdir())) == before
