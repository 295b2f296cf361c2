"""Presets: what is bundled holds good, a person's own are kept and read, and each stands wherever a codec is named."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from engine import io, presets, registry
from engine.cli import main
from engine.codec import Ctx, Role
from engine.color import LINEAR_SRGB
from engine.errors import CorruptStream, UsageError
from engine.image import Image
from engine.presets import Preset, parse, save, slug, with_defaults

BUNDLED = [each.id for each in presets.presets().by_id.values() if each.path is None]
CTX = Ctx()


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(presets, "folder", lambda: tmp_path / "presets")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "presets"


@pytest.fixture
def room(tmp_path: Path) -> Path:
    y, x = np.mgrid[0:24, 0:32]
    light = np.exp2(np.sin(x / 9)[:, :, None] * np.cos(y / 7)[:, :, None] - [1, 1.5, 2]).astype(np.float32)
    io.write(tmp_path / "room.exr", Image(light, LINEAR_SRGB))
    return tmp_path / "room.exr"


@pytest.mark.parametrize("preset_id", BUNDLED)
def test_a_bundled_preset_names_a_codec_its_settings_and_a_source(preset_id: str) -> None:
    preset = presets.presets().by_id[preset_id]
    base, codec = registry.codec(preset.codec).info, registry.codec(preset_id).info
    assert preset.id not in registry.codec_ids() and preset.source and preset.about
    assert (codec.id, codec.label, codec.capabilities) == (preset.id, preset.label, base.capabilities)
    assert codec.defaults() == base.complete(preset.settings)


def test_artists_find_their_engines_by_name_and_what_is_not_there_says_why() -> None:
    found = presets.presets()
    assert {"Unity", "Godot"} <= {each.title for each in found.by_id.values()}
    told = {each.label: each.why for each in found.not_offered}
    assert any("Unreal, Compress Lightmaps on" in label for label in told) and all(told.values())


def test_a_preset_that_sets_the_rate_pins_it() -> None:
    astc, mobile = registry.codec("astc").info, registry.codec("godot-mobile").info
    assert astc.rate_param is not None and mobile.rate_param is None
    assert (mobile.param("block").default, mobile.param("block").role) == ("4x4", Role.TOOL)


def test_a_preset_codes_as_its_codec_does_with_these_settings(room: Path) -> None:
    image = io.read(room).image
    mobile, settings = registry.codec("godot-mobile"), {"block": "4x4", "file": "ktx2+zstd"}
    data = mobile.encode(image, {}, CTX).data
    assert data == registry.codec("astc").encode(image, settings, CTX).data
    assert (mobile.decode(data, CTX).pixels == registry.codec("astc").decode(data, CTX).pixels).all()


def test_presets_stand_where_codecs_are_named(room: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["encode", str(room), str(tmp_path / "a.ktx2"), "--codec", "unity-desktop-high", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["codec"] == "unity-desktop-high" and told["settings"]["file"] == "ktx2+zstd"
    names = "godot-mobile,exr-dwab"
    assert main(["rd", str(room), "--codecs", names, "--points", "2", "--workers", "1", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["codecs"]
    assert (len(told["godot-mobile"]["points"]), len(told["exr-dwab"]["points"])) == (1, 2)


def test_the_list_names_what_each_stands_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["presets"]) == 0
    text = capsys.readouterr().out
    assert "bc6h file=ktx2+zstd" in text and "Not offered" in text
    assert main(["presets", "godot-mobile", "--json"]) == 0
    (only,) = json.loads(capsys.readouterr().out)["presets"]
    assert only["codec"] == "astc" and only["available"] is True and only["source"].startswith("https://")
    assert main(["presets", "nothing"]) == 2


def test_a_preset_of_ones_own_is_kept_read_and_replaced(folder: Path) -> None:
    jxl = registry.codec("jxl").info
    kept = save("  My  “best” JXL ", "jxl", jxl, {"effort": 9, "light": "log"}, registry.codec_ids())
    assert (kept.id, kept.label) == ("my-best-jxl", "My “best” JXL") and kept.settings == {"effort": 9}
    assert presets.presets().by_id["my-best-jxl"] == kept
    assert registry.codec("my-best-jxl").info.param("effort").default == 9
    save("My “best” JXL", "jxl", jxl, {"effort": 8, "lossless": True}, registry.codec_ids())
    assert registry.codec("my-best-jxl").info.defaults()["lossless"] is True
    assert [path.name for path in folder.iterdir()] == ["my-best-jxl.toml"]


@pytest.mark.parametrize("label", ["wavelet", "Godot mobile", "???", "x" * 81, "a\x7f", "a\ud800"])
def test_names_that_are_taken_or_empty_or_long_are_refused(label: str) -> None:
    with pytest.raises(UsageError):
        save(label, "jxl", registry.codec("jxl").info, {}, registry.codec_ids())


def test_a_name_gives_an_id_of_small_letters_and_digits() -> None:
    assert slug("Unity: High (4×4), v2") == "unity-high-4-4-v2"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("title = ", "not TOML"),
        ("", "'title' is missing"),
        ('title = "x"\npreset = 3', "list of tables"),
        ('title = "x"\n[[preset]]\nid = "a"\nlabel = "A"', "'codec' is missing"),
        ('title = "x"\n[[preset]]\nid = "A b"\nlabel = "A"\ncodec = "jxl"', "small letters"),
        ('title = "x"\n[[preset]]\nid = "a"\nlabel = "A"\ncodec = "jxl"\nsettings = { effort = [1] }', "settings"),
    ],
)
def test_a_file_that_is_wrong_says_what(text: str, reason: str, folder: Path) -> None:
    with pytest.raises(CorruptStream, match=reason):
        parse(text, None)
    folder.mkdir()
    (folder / "mine.toml").write_text(text)
    assert reason.split(" ", maxsplit=1)[0] in presets.presets().problems[folder / "mine.toml"]
    assert set(BUNDLED) <= set(presets.presets().by_id)


def test_a_file_of_ones_own_takes_no_bundled_name(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder.mkdir()
    (folder / "x.toml").write_text('title = "x"\n[[preset]]\nid = "godot-mobile"\nlabel = "A"\ncodec = "jxl"\n')
    assert presets.presets().by_id["godot-mobile"].codec == "astc"
    assert main(["presets"]) == 0
    assert "is there already" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("preset", "reason"),
    [
        (Preset("a", "A", "nothing"), "no codec 'nothing'"),
        (Preset("a", "A", "jxl", {"effort": 99}), "effort = 99"),
        (Preset("a", "A", "jxl", {"speed": 1}), "no setting 'speed'"),
        (Preset("jxl", "A", "jxl"), "is a codec's"),
        (Preset("a", "A", "godot-mobile"), "no codec 'godot-mobile'"),
    ],
)
def test_a_preset_that_cannot_be_used_says_why(preset: Preset, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = presets.Presets({preset.id: preset}, (), {})
    monkeypatch.setattr(registry, "presets", lambda: found)
    why = registry.why_not(preset)
    assert why is not None and reason in why


def test_a_preset_leaves_its_codec_as_it_is() -> None:
    base = registry.codec("jxl")
    before = base.info
    assert with_defaults(Preset("a", "A", "jxl", {"effort": 3}), base).info.param("effort").default == 3
    assert base.info is before
