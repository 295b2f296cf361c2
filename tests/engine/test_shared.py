"""Arrays in shared memory: what is sent, who removes it, and what a killed program leaves."""

from __future__ import annotations

import gc
import os
import time
from pathlib import Path

import numpy as np
import pytest

from engine import shared
from engine.errors import EngineError
from engine.image import Alpha, Image
from engine.shared import Arena


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    out = tmp_path / "small", tmp_path / "large"
    for folder in out:
        folder.mkdir()
    return out


def frozen(size: int = 100_000) -> np.ndarray:
    array = np.arange(size, dtype=np.uint8)
    array.flags.writeable = False
    return array


def test_an_array_is_written_once_and_removed_with_its_owner(folders: tuple[Path, Path]) -> None:
    arena = Arena(folders, "p", owner=True)
    array = frozen()
    block = arena.put(array)
    assert arena.put(array) == block
    assert arena.open(block) is array
    assert len(arena.blocks()) == 1
    del array
    gc.collect()
    assert arena.blocks() == []


def test_what_a_worker_sends_becomes_the_parents(folders: tuple[Path, Path]) -> None:
    parent, worker = Arena(folders, "p", owner=True), Arena(folders, "w1-", owner=False)
    block, lost = worker.put(frozen()), worker.put(frozen(70_000))
    array = parent.open(block)
    np.testing.assert_array_equal(array, frozen())
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 1
    parent.remove_unclaimed("w1-")
    assert not Path(lost.path).exists()
    assert Path(block.path).exists()
    del array
    gc.collect()
    assert parent.blocks() == []


def test_a_full_folder_gives_way_to_the_next(folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    write = Path.write_bytes

    def limited(self: Path, data: bytes) -> int:
        if self.parent == folders[0]:
            write(self, b"half")
            raise OSError(28, "No space left on device")
        return write(self, data)

    monkeypatch.setattr(Path, "write_bytes", limited)
    arena = Arena(folders, "p", owner=True)
    array = frozen()
    assert Path(arena.put(array).path).parent == folders[1]
    assert list(folders[0].iterdir()) == []
    other = frozen()
    with pytest.raises(EngineError, match="no room for 0 MiB"):
        Arena(folders[:1], "p", owner=True).put(other)


@pytest.mark.parametrize("side", [4, 400])
def test_a_picture_survives_with_all_it_means(side: int) -> None:
    pixels = np.random.default_rng(2).integers(0, 1 << 16, (side, side, 2), np.uint16)
    image = Image(pixels, alpha=Alpha.STRAIGHT, bits=12, icc=b"profile", mask=pixels[:, :, 0] > 9)
    digest = image.digest
    copy = shared.loads(shared.dumps({"picture": image}))["picture"]
    assert (copy.digest, copy.bits, copy.icc) == (digest, 12, b"profile")
    np.testing.assert_array_equal(copy.pixels, pixels)
    assert not copy.pixels.flags.writeable


def test_an_array_that_may_still_change_is_copied() -> None:
    array = np.zeros(100_000, np.uint8)
    data = shared.dumps(array)
    array[:] = 7
    copy = shared.loads(data)
    assert not copy.any()
    copy[0] = 1


def test_only_what_nobody_holds_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "_bases", lambda: [tmp_path])
    (held,) = shared._make_folders()
    assert not shared._is_abandoned(held)
    newborn = tmp_path / f"{shared._prefix()}newborn"
    dead, old = tmp_path / f"{shared._prefix()}dead", tmp_path / f"{shared._prefix()}old"
    for folder in (newborn, dead, old):
        folder.mkdir()
    (dead / "lock").touch()
    (dead / "p0.block").write_bytes(b"left behind")
    os.utime(old, (time.time() - 1000, time.time() - 1000))
    shared._make_folders()
    assert held.exists() and newborn.exists()
    assert not dead.exists() and not old.exists()
    shared.remove_if_abandoned([held], patience_s=0.1)
    assert held.exists()


def test_without_any_folder_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "_bases", list)
    with pytest.raises(EngineError, match="TMPDIR"):
        shared._make_folders()
