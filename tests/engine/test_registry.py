"""Which codecs there are: built in, by TOML file, by plug-in; and what becomes of broken ones."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest

from engine import metrics, plugins, registry
from engine.codec import Ctx
from engine.errors import CodecUnavailable, UsageError
from engine.image import Image

IMAGE = Image(np.zeros((4, 4, 3), np.uint8))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only place where command codecs are looked for; there are no imported ones."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setattr(registry, "folders", lambda: [tmp_path])
    return tmp_path


def write(folder: Path, codec_id: str, name: str = "") -> Path:
    path = folder / f"{name or codec_id}.toml"
    path.write_text(f'id = "{codec_id}"\nencode = "cp {{in}} {{out}}"\ndecode = "cp {{in}} {{out}}"\n')
    return path


def test_the_built_in_codecs_come_first_and_in_order(folder: Path) -> None:
    write(folder, "aaa")
    assert registry.codec_ids() == [*registry.BUILTIN, "aaa"]
    assert [codec.info.id for codec in registry.codecs()] == registry.codec_ids()


def test_an_unknown_codec_is_refused_with_the_known_ones(folder: Path) -> None:
    write(folder, "mine")
    with pytest.raises(UsageError, match=r"unknown codec 'jpg'; known are .*jpeg2000.*mine"):
        registry.codec("jpg")


def test_a_file_that_is_added_changed_or_removed_counts_at_once(folder: Path) -> None:
    path = write(folder, "mine")
    before = registry.codec("mine")
    assert registry.codec("mine") is before
    path.write_text(path.read_text() + 'label = "Changed"\n')
    assert registry.codec("mine").info.label == "Changed"
    path.unlink()
    assert "mine" not in registry.codec_ids()


def test_folders_come_from_the_configuration_and_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setenv(registry.FOLDERS_VARIABLE, os.pathsep.join(["/one", "", "/two"]))
    own, *named = registry.folders()
    assert own.parts[-2:] == ("ratescope", "codecs")
    assert named == [Path("/one"), Path("/two")]


def test_a_broken_file_is_an_unavailable_codec_with_the_reason(folder: Path) -> None:
    (folder / "broken.toml").write_text("id = 3")
    codec = registry.codec("broken")
    reason = codec.available() or ""
    assert str(folder / "broken.toml") in reason and "id = 3: must be text" in reason
    with pytest.raises(CodecUnavailable, match="must be text"):
        codec.encode(IMAGE, {}, Ctx())
    with pytest.raises(CodecUnavailable):
        codec.decode(b"", Ctx())


def test_an_id_belongs_to_whoever_has_it_first(folder: Path) -> None:
    write(folder, "jpeg")
    write(folder, "mine", "a")
    write(folder, "mine", "b")
    assert registry.codec_ids()[len(registry.BUILTIN) :] == ["mine", "mine-2", "jpeg-2"]
    assert registry.codec("mine").available() is None
    assert str(folder / "b.toml") in (registry.codec("mine-2").available() or "")
    assert "the id 'jpeg' is taken" in (registry.codec("jpeg-2").available() or "")


def test_a_codec_whose_library_is_missing_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    registry._builtin.cache_clear()
    monkeypatch.setitem(sys.modules, "engine.codecs.webp", None)
    try:
        codec = registry.codec("webp")
        assert codec.info.id == "webp"
        assert "does not load" in (codec.available() or "")
    finally:
        registry._builtin.cache_clear()


# --- Plug-ins -----------------------------------------------------------------------------------


def register_good(api: plugins.Api) -> None:
    api.add_codec(StoreCodec(api))
    api.add_metric(WorstMetric(api))


def register_bad(api: plugins.Api) -> None:
    api.add_codec(StoreCodec(api))
    raise RuntimeError("out of order")


def register_rubbish(api: plugins.Api) -> None:
    api.add_codec(object())  # type: ignore[arg-type]


class StoreCodec:
    def __init__(self, api: plugins.Api) -> None:
        self.api = api
        self.info = api.CodecInfo("store", "Store", "plug-in", ".store")

    def available(self) -> None:
        return None

    def version(self) -> str:
        return "1"

    def encode(self, image, settings, ctx):
        return self.api.Encoded(bytes(image.pixels.data))

    def decode(self, data, ctx):
        return self.api.Image(np.frombuffer(data, np.uint8).reshape(4, 4, 3))


class WorstMetric:
    def __init__(self, api: plugins.Api) -> None:
        self.info = api.MetricInfo("worst", "Worst", "", False, api.Domain.CODE_VALUES, "1", "none")

    def score(self, ref, img, ctx):
        return float(np.abs(ref.pixels.astype(int) - img.pixels).max())

    def map(self, ref, img, ctx):
        return None


def point(function: str, name: str = "extra") -> EntryPoint:
    return EntryPoint(name, f"{__name__}:{function}", plugins.GROUP)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[EntryPoint]]:
    """Entry points that the program sees."""
    points: list[EntryPoint] = []

    def clear() -> None:
        plugins.plugins.cache_clear()
        registry._load.cache_clear()
        metrics._added.cache_clear()

    monkeypatch.setattr(plugins, "entry_points", lambda group: points)
    clear()
    yield points
    monkeypatch.undo()
    clear()


def test_a_plug_in_adds_a_codec_and_a_metric(installed: list[EntryPoint]) -> None:
    installed.append(point("register_good"))
    codec = registry.codec("store")
    assert registry.codec_ids()[-1] == "store"
    decoded = codec.decode(codec.encode(IMAGE, {}, Ctx()).data, Ctx())
    assert metrics.metric_ids()[-1] == "worst"
    assert metrics.scores(IMAGE, decoded, ["worst"]) == {"worst": 0.0}


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        ("register_bad", "RuntimeError: out of order"),
        ("register_rubbish", "is no codec"),
        ("register_absent", "AttributeError"),
    ],
)
def test_a_plug_in_that_fails_adds_nothing_and_is_named(
    installed: list[EntryPoint], function: str, reason: str
) -> None:
    installed.append(point(function, "failing"))
    assert "store" not in registry.codec_ids()
    assert reason in (registry.codec("failing").available() or "")
