"""`lightmap-ae` on a tiny model with random weights: what it promises besides the contract of all codecs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_model import LIGHT_MODEL, tiny_light_weights, tiny_weights

from engine import container, registry
from engine.codec import Ctx
from engine.codecs import lightmap_ae
from engine.color import DISPLAY_P3, LINEAR_SRGB
from engine.container import Section
from engine.errors import CorruptStream, EngineError, Unsupported
from engine.image import Image
from engine.learned import stored
from engine.metrics import scores

CTX = Ctx()


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_light_weights(tmp_path_factory.mktemp("weights"))


@pytest.fixture(autouse=True)
def codec(weights: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[lightmap_ae.LightmapAeCodec]:
    monkeypatch.setenv(stored.VARIABLE, str(weights))
    yield registry.codec("lightmap-ae")


def light(height: int = 96, width: int = 80, channels: int = 3, brightness: float = 1.0) -> Image:
    """Smooth light over eight stops."""
    y, x = np.mgrid[:height, :width]
    stops = -3 + 4 * np.sin(x / 17)[:, :, None] * np.cos(y / 23)[:, :, None] * np.array([1, 0.97, 0.92])[:channels]
    return Image((np.exp2(stops) * brightness).astype(np.float32), LINEAR_SRGB)


def with_gutters(image: Image) -> Image:
    """The same with noise where nothing counts: in the left half, and a little in the middle of the right one."""
    mask = np.ones(image.pixels.shape[:2], bool)
    mask[:, : image.width // 2] = False
    mask[40:50, 60:70] = False
    noise = np.random.default_rng(1).random(image.pixels.shape).astype(np.float32) * 100
    return replace(image, pixels=np.where(mask[:, :, None], image.pixels, noise), mask=mask)


@pytest.mark.parametrize("size", [(1, 1), (64, 64), (65, 63), (130, 40)])
@pytest.mark.parametrize("channels", [1, 3])
def test_any_size_and_kind_comes_back(codec: lightmap_ae.LightmapAeCodec, size: tuple[int, int], channels: int) -> None:
    image = light(*size, channels)
    decoded = codec.decode(codec.encode(image, {"quality": 100}, CTX).data, CTX)
    assert decoded.pixels.shape == image.pixels.shape
    assert scores(image, decoded, ["log2_psnr"])["log2_psnr"] > 45


@pytest.mark.parametrize("brightness", [2.0**-9, 1.0, 2.0**14])
def test_dim_and_bright_light_is_kept_alike(codec: lightmap_ae.LightmapAeCodec, brightness: float) -> None:
    image = light(brightness=brightness)
    decoded = codec.decode(codec.encode(image, {"quality": 80}, CTX).data, CTX)
    assert scores(image, decoded, ["log2_psnr"])["log2_psnr"] > 40
    assert decoded.pixels.max() <= image.pixels.max() * 1.2


def test_black_stays_black_and_nothing_is_below(codec: lightmap_ae.LightmapAeCodec) -> None:
    image = Image(np.zeros((64, 64, 3), np.float32), LINEAR_SRGB)
    decoded = codec.decode(codec.encode(image, {"quality": 100}, CTX).data, CTX)
    assert decoded.pixels.min() >= 0 and decoded.pixels.max() < 1e-4


def test_gutters_cost_little_unless_they_are_to_be_kept(codec: lightmap_ae.LightmapAeCodec) -> None:
    image = with_gutters(light())
    free, kept = (codec.encode(image, {"quality": 70, "gutters": g}, CTX) for g in ("fill", "keep"))
    plain = codec.encode(light(), {"quality": 70}, CTX)
    assert len(free.data) < min(len(plain.data), 0.5 * len(kept.data))
    score = {
        name: scores(image, codec.decode(each.data, CTX), ["log2_psnr"])["log2_psnr"]
        for name, each in (("free", free), ("kept", kept))
    }
    assert score["free"] > score["kept"] - 1


def test_the_light_beside_charts_goes_on_as_they_do(codec: lightmap_ae.LightmapAeCodec) -> None:
    image = with_gutters(light())
    assert image.mask is not None
    decoded = codec.decode(codec.encode(image, {"quality": 90}, CTX).data, CTX)
    seam = scores(image, decoded, ["seam"])["seam"]
    assert seam < 0.3


def test_slices_that_say_nothing_are_left_out(codec: lightmap_ae.LightmapAeCodec) -> None:
    smooth, grain = Image(np.full((64, 64, 3), 0.3, np.float32), LINEAR_SRGB), light()
    noise = np.random.default_rng(2).normal(0, 0.5, grain.pixels.shape)
    grain = grain.with_pixels((grain.pixels * np.exp2(noise)).astype(np.float32))
    counts = []
    for image, quality in ((smooth, 0), (grain, 100)):
        data = codec.encode(image, {"quality": quality}, CTX).data
        counts.append(container.read(data).section(Section.LIGHTMAP_AE)[8])
        codec.bit_map(data, CTX)
    assert counts == [len(LIGHT_MODEL.slices) - 1, len(LIGHT_MODEL.slices)]


def test_primaries_are_kept(codec: lightmap_ae.LightmapAeCodec) -> None:
    wide = replace(light(), color=replace(LINEAR_SRGB, primaries=DISPLAY_P3.primaries))
    assert codec.decode(codec.encode(wide, {}, CTX).data, CTX).color == wide.color


def test_light_that_is_not_finite_is_refused(codec: lightmap_ae.LightmapAeCodec) -> None:
    pixels = light().pixels.copy()
    pixels[3, 4, 1] = np.nan
    with pytest.raises(Unsupported, match="finite"):
        codec.encode(Image(pixels, LINEAR_SRGB), {}, CTX)


def test_a_claim_of_more_slices_than_the_model_has_is_refused(codec: lightmap_ae.LightmapAeCodec) -> None:
    stream = container.read(codec.encode(light(), {}, CTX).data)
    section = bytearray(stream.section(Section.LIGHTMAP_AE))
    section[8] = 9
    bad = container.write("lightmap-ae", stream.picture, {Section.LIGHTMAP_AE: bytes(section)})
    with pytest.raises(CorruptStream, match="more of a latent"):
        codec.decode(bad, CTX)


def test_weights_of_photographs_are_no_weights_for_light(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, codec: lightmap_ae.LightmapAeCodec
) -> None:
    monkeypatch.setattr(stored.zoo, "models", lambda: [])
    monkeypatch.setenv(stored.VARIABLE, str(tiny_weights(tmp_path)))
    reason = codec.available()
    assert reason is not None and "lightmap-ae" in reason
    with pytest.raises(EngineError, match=stored.VARIABLE):
        codec.encode(light(), {}, CTX)


def test_a_forecast_tells_what_other_rates_take(codec: lightmap_ae.LightmapAeCodec) -> None:
    image = with_gutters(light(192, 192))
    prepared = codec.prepare(image, {}, CTX)
    encoded = prepared.encode(60.0)
    assert encoded.forecast is not None
    assert encoded.forecast.size(60.0, CTX) == pytest.approx(len(encoded.data), rel=0.01)
    assert prepared.encode(60.0).data == codec.encode(image, {"quality": 60.0}, CTX).data
