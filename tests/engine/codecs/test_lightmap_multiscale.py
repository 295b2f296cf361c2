"""`lightmap-multiscale`: better than the wavelet alone, never worse for its filters, and the same pixels everywhere."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from engine import container, io, registry
from engine.codec import Ctx
from engine.codecs import lightmap_multiscale
from engine.color import LINEAR_SRGB
from engine.container import Section
from engine.errors import CorruptStream, EngineError, Unsupported
from engine.image import Image
from engine.learned import stored
from engine.metrics import scores
from engine.samples import samples

CTX = Ctx()
GOLDEN = Path(__file__).parents[2] / "golden" / "lightmap-multiscale"


@pytest.fixture(autouse=True)
def codec(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> lightmap_multiscale.LightmapMultiscaleCodec:
    """With the weights that are shipped."""
    monkeypatch.delenv(stored.VARIABLE, raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    return registry.codec("lightmap-multiscale")


@cache
def lightmap() -> Image:
    """A part of the bundled lightmap, charts and gutters."""
    image = io.read(next(s.path for s in samples() if s.path.stem == "room_lightmap")).image
    here = slice(0, 192), slice(0, 256)
    mask = None if image.mask is None else np.ascontiguousarray(image.mask[here])
    return Image(np.ascontiguousarray(image.colour_pixels[here]), LINEAR_SRGB, mask=mask)


def log2_psnr(image: Image, decoded: Image) -> float:
    return scores(image, decoded, ["log2_psnr"])["log2_psnr"]


def without_filters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lightmap_multiscale._Encoder, "_strengths", lambda *_: (0, 0))


@pytest.mark.parametrize("quality", [25.0, 32.0, 40.0])
def test_filters_make_light_better_for_a_few_bytes(
    codec: lightmap_multiscale.LightmapMultiscaleCodec, quality: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = lightmap()
    data = codec.encode(image, {"quality": quality}, CTX).data
    without_filters(monkeypatch)
    plain = codec.encode(image, {"quality": quality}, CTX).data
    assert len(data) <= len(plain) + stored.NAME_BYTES
    assert log2_psnr(image, codec.decode(data, CTX)) > log2_psnr(image, codec.decode(plain, CTX))
    assert codec.details(plain, CTX)["weights"] is None


@pytest.mark.parametrize("quality", [12.0, 15.0])
def test_filters_draw_no_contours(
    codec: lightmap_multiscale.LightmapMultiscaleCodec, quality: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = lightmap()
    found = codec.decode(codec.encode(image, {"quality": quality}, CTX).data, CTX)
    without_filters(monkeypatch)
    plain = codec.decode(codec.encode(image, {"quality": quality}, CTX).data, CTX)
    banding = [scores(image, each, ["banding"])["banding"] for each in (found, plain)]
    assert banding[1] > 0 and banding[0] < banding[1] + 1e-5
    assert log2_psnr(image, found) > log2_psnr(image, plain) - 0.01


def test_it_takes_fewer_bytes_than_the_wavelet_at_equal_quality(
    codec: lightmap_multiscale.LightmapMultiscaleCodec,
) -> None:
    image, wavelet = lightmap(), registry.codec("wavelet")
    ours = codec.encode(image, {"quality": 28.0}, CTX).data
    theirs = wavelet.encode(image, {"quality": 28.0}, CTX).data
    assert len(ours) < len(theirs)
    assert log2_psnr(image, codec.decode(ours, CTX)) > log2_psnr(image, wavelet.decode(theirs, CTX))


@pytest.mark.parametrize("size", [(1, 1), (5, 3), (64, 64), (65, 130)])
@pytest.mark.parametrize("channels", [1, 3])
def test_any_size_and_kind_comes_back(
    codec: lightmap_multiscale.LightmapMultiscaleCodec, size: tuple[int, int], channels: int
) -> None:
    y, x = np.mgrid[: size[0], : size[1]]
    light = np.exp2(np.sin(x / 9 + 1) * np.cos(y / 11)).astype(np.float32)
    image = Image(np.repeat(light[:, :, None], channels, axis=2), LINEAR_SRGB)
    decoded = codec.decode(codec.encode(image, {"quality": 80.0}, CTX).data, CTX)
    assert decoded.pixels.shape == image.pixels.shape and log2_psnr(image, decoded) > 75


@pytest.mark.parametrize("split", [0, 5, 8, 11, 16])
def test_every_split_that_a_stream_may_name_decodes(
    codec: lightmap_multiscale.LightmapMultiscaleCodec, split: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lightmap_multiscale, "_TRIED", (split,))
    image = lightmap()
    data = codec.encode(image, {"quality": 40.0}, CTX).data
    assert codec.details(data, CTX)["split"] == pytest.approx(2 ** ((8 - split) / 4), rel=1e-3)
    assert log2_psnr(image, codec.decode(data, CTX)) > 50


def changed(data: bytes, at: int, value: int) -> bytes:
    """The stream with another byte in its section's head, and a checksum that fits."""
    stream = container.read(data)
    payload = bytearray(stream.section(Section.LIGHTMAP_MULTISCALE))
    payload[at] = value
    return container.write(stream.codec, stream.picture, {Section.LIGHTMAP_MULTISCALE: bytes(payload)})


def test_a_head_that_cannot_be_is_refused(codec: lightmap_multiscale.LightmapMultiscaleCodec) -> None:
    data = codec.encode(lightmap(), {"quality": 20.0}, CTX).data
    with pytest.raises(Unsupported, match="version 9"):
        codec.decode(changed(data, 0, 9), CTX)
    with pytest.raises(CorruptStream, match="damaged"):
        codec.decode(changed(data, 3, 17), CTX)
    stream = container.read(data)
    for size in (0, 5, 20):
        payload = stream.section(Section.LIGHTMAP_MULTISCALE)[:size]
        short = container.write(stream.codec, stream.picture, {Section.LIGHTMAP_MULTISCALE: payload})
        with pytest.raises(CorruptStream):
            codec.decode(short, CTX)


def test_weights_that_are_not_here_are_named(codec: lightmap_multiscale.LightmapMultiscaleCodec) -> None:
    data = codec.encode(lightmap(), {"quality": 20.0}, CTX).data
    name = codec.details(data, CTX)["weights"]
    at = container.read(data).section(Section.LIGHTMAP_MULTISCALE).index(bytes.fromhex(name))
    other = changed(data, at, bytes.fromhex(name)[0] ^ 1)
    with pytest.raises(EngineError, match="lightmap-multiscale weights"):
        codec.decode(other, CTX)


def test_weights_of_another_shape_are_refused(
    codec: lightmap_multiscale.LightmapMultiscaleCodec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import safetensors.numpy

    shipped = stored.preferred("lightmap-multiscale")
    content = safetensors.numpy.save({"filters": np.zeros((2, 3, 4), np.float32)})
    path = tmp_path / "odd.safetensors"
    path.write_bytes(content)
    card = json.loads(shipped.path.with_suffix(".json").read_text(encoding="utf-8"))
    card["digest"] = hashlib.sha256(content).hexdigest()
    path.with_suffix(".json").write_text(json.dumps(card))
    monkeypatch.setenv(stored.VARIABLE, str(path))
    with pytest.raises(CorruptStream, match="does not hold the filters"):
        codec.encode(lightmap(), {}, CTX)


def test_gutters_cost_next_to_nothing_unless_they_are_kept(codec: lightmap_multiscale.LightmapMultiscaleCodec) -> None:
    image = lightmap()
    mask = np.zeros(image.pixels.shape[:2], bool)
    mask[40:150, 30:200] = True
    noise = np.random.default_rng(1).random(image.pixels.shape).astype(np.float32)
    image = replace(image, pixels=np.where(mask[:, :, None], image.pixels, noise), mask=mask)
    free, kept = (len(codec.encode(image, {"quality": 25.0, "gutters": each}, CTX).data) for each in ("fill", "keep"))
    assert free < 0.3 * kept


def test_the_card_of_the_shipped_weights_says_what_they_were_made_of() -> None:
    weights = stored.preferred("lightmap-multiscale")
    stored.read(weights.path)
    card = json.loads(weights.path.with_suffix(".json").read_text(encoding="utf-8"))
    assert card["digest"].startswith(weights.name)
    attribution = (weights.path.parent / card["attribution"]).read_text(encoding="utf-8")
    assert "MIT" in attribution and "CC0" in attribution
    assert card["measured"]["gain_db"]["held_back"] > 0.1


def test_a_stream_of_the_shipped_weights_has_the_pixels_it_always_had(
    codec: lightmap_multiscale.LightmapMultiscaleCodec,
) -> None:
    data = (GOLDEN / "room.rsl").read_bytes()
    decoded = codec.decode(data, CTX)
    assert hashlib.sha256(decoded.pixels.tobytes()).hexdigest() == (GOLDEN / "room.sha256").read_text().strip()
    assert codec.details(data, CTX)["weights"] is not None
