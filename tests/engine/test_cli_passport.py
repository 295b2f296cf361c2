"""`ratescope passport`, and `encode --passport`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine import registry
from engine.cli import main
from engine.codec import Ctx
from engine.image import Image
from engine.io import write_png
from tests.pictures import photo_like

PICTURE = Image(photo_like(24, 40))
Captured = pytest.CaptureFixture[str]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "picture.rsw"
    path.write_bytes(registry.codec("wavelet").encode(PICTURE, {}, Ctx()).data)
    return path


def asked(capsys: Captured, *words: object) -> tuple[int, dict[str, Any]]:
    code = main(["passport", *map(str, words), "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_a_damaged_file_is_told_from_a_whole_one(file: Path, capsys: Captured) -> None:
    bad = file.with_name("bad.rsw")
    bad.write_bytes(file.read_bytes()[:-5] + bytes(5))
    code, document = asked(capsys, file, bad)
    assert code == 1
    assert (document["exact"], document["close"], document["broken"]) == (1, 0, 1)
    good, broken = document["files"]
    assert good["verdict"] == "exact" and good["threads"][0] == 1 < good["threads"][1]
    assert good["pixels"] == registry.codec("wavelet").decode(file.read_bytes(), Ctx()).digest
    assert broken["verdict"] == "broken" and "damaged" in broken["reason"]


def test_a_file_is_compared_with_what_came_of_it_elsewhere(file: Path, tmp_path: Path, capsys: Captured) -> None:
    code, document = asked(capsys, file)
    assert code == 0
    noted, picture = tmp_path / "noted.json", tmp_path / "picture.png"
    noted.write_text(json.dumps(document))
    decoded = registry.codec("wavelet").decode(file.read_bytes(), Ctx())
    pixels = decoded.pixels.copy()
    pixels[3, 4] ^= 1
    write_png(picture, Image(pixels))

    assert asked(capsys, file, "--against", noted)[0] == 0
    code, document = asked(capsys, file, "--against", picture)
    assert code == 0 and document["close"] == 1 and document["files"][0]["differing"] == 3

    file.write_bytes(registry.codec("wavelet").encode(PICTURE, {"quality": 20}, Ctx()).data)
    code, document = asked(capsys, file, "--against", noted)
    assert code == 1 and "its bytes are others" in document["files"][0]["reason"]


def test_what_cannot_be_compared_is_refused(file: Path, tmp_path: Path, capsys: Captured) -> None:
    empty = tmp_path / "empty.json"
    empty.write_text("{}")
    write_png(tmp_path / "picture.png", PICTURE)
    assert main(["passport", str(file), "--against", str(empty)]) == 1
    assert "notes no file" in capsys.readouterr().err
    assert main(["passport", str(file), str(file), "--against", str(tmp_path / "picture.png")]) == 2
    assert main(["passport", str(file), "--within", "-1"]) == 2
    assert main(["passport", str(tmp_path / "none.rsw")]) == 1
    assert "none.rsw" in capsys.readouterr().err


def test_encode_has_its_file_checked(tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = tmp_path / "in.png", tmp_path / "out.rsw"
    write_png(source, PICTURE)
    words = ["encode", str(source), str(target), "--codec", "wavelet", "--passport", "--store", str(tmp_path / "store")]
    assert main([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["passport"]["verdict"] == "exact"

    write = Path.write_bytes
    monkeypatch.setattr("engine.cli.encode.atomic_write", lambda path, data: write(path, data[:-4] + bytes(4)))
    assert main(words) == 1
    assert "Broken in a fresh process" in capsys.readouterr().out
