"""`gan` on a tiny model: the symbols of its parent, and two decoders to blend."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from tiny_model import picture, tiny_gan_weights, tiny_weights

from engine import container, registry
from engine.codec import Ctx
from engine.codecs.gan import GanCodec
from engine.container import Section
from engine.errors import CorruptStream, EngineError, UsageError
from engine.image import Image
from engine.learned import stored, tiles

CTX = Ctx()
BLEND = 7  # where the byte lies in the section: behind version, weights and rate


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    parent = tiny_weights(tmp_path_factory.mktemp("weights"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(stored.VARIABLE, str(parent))
        return os.pathsep.join(map(str, (parent, tiny_gan_weights(parent))))


@pytest.fixture(autouse=True)
def codec(weights: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[GanCodec]:
    monkeypatch.setenv(stored.VARIABLE, weights)
    yield registry.codec("gan")


def shown(codec: GanCodec, blend: int, pixels: np.ndarray | None = None, quality: float = 50.0) -> np.ndarray:
    image = Image(picture(3, 96) if pixels is None else pixels)
    data = codec.encode(image, {"quality": quality, "blend": blend}, CTX).data
    return codec.decode(data, CTX).pixels


def rewritten(data: bytes, change: Callable[[bytearray], None]) -> bytes:
    """The stream with its section changed, and checksums that fit."""
    stream = container.read(data)
    section = bytearray(stream.section(Section.GAN))
    change(section)
    return container.write("gan", stream.picture, {Section.GAN: bytes(section)})


@pytest.mark.parametrize("quality", [0.0, 21.3, 50.0])
def test_its_symbols_are_those_of_its_parent_and_a_byte_is_all_it_adds(codec: GanCodec, quality: float) -> None:
    image, parent = Image(picture(3, 96)), registry.codec("hyperprior")
    ours, theirs = codec.encode(image, {"quality": quality}, CTX), parent.encode(image, {"quality": quality}, CTX)
    assert ours.stats["symbols"] == theirs.stats["symbols"]
    assert len(ours.data) == len(theirs.data) + 1


@pytest.mark.parametrize("channels", [1, 3])
def test_without_a_blend_its_pixels_are_those_of_its_parent(codec: GanCodec, channels: int) -> None:
    pixels, parent = picture(3, 96)[:, :, :channels].copy(), registry.codec("hyperprior")
    theirs = parent.decode(parent.encode(Image(pixels), {"quality": 50.0}, CTX).data, CTX).pixels
    assert np.array_equal(shown(codec, 0, pixels), theirs)
    assert not np.array_equal(shown(codec, 100, pixels), theirs)


def test_a_blend_lies_between_both_pictures(codec: GanCodec) -> None:
    faithful, half, plausible = (shown(codec, blend).astype(float) for blend in (0, 50, 100))
    inside = (faithful > 4) & (faithful < 251) & (plausible > 4) & (plausible < 251)
    assert np.abs(half - (faithful + plausible) / 2)[inside].max() <= 1.5
    assert np.abs(plausible - faithful).max() > 3


def test_a_file_says_its_blend_and_decodes_by_it(codec: GanCodec) -> None:
    image = Image(picture(3, 96))
    files = {blend: codec.encode(image, {"blend": blend}, CTX).data for blend in (0, 30)}
    assert {blend: codec.details(data, CTX)["blend"] for blend, data in files.items()} == {0: 0, 30: 30}

    def to_faithful(section: bytearray) -> None:
        section[BLEND] = 0

    assert rewritten(files[30], to_faithful) == files[0]


def test_tiles_change_nothing_at_any_blend(codec: GanCodec, monkeypatch: pytest.MonkeyPatch) -> None:
    large = picture(3, 400)
    whole = shown(codec, 50, large)
    monkeypatch.setattr(tiles, "TILE", 128)
    assert np.abs(shown(codec, 50, large).astype(int) - whole).max() <= 1


def test_a_blend_beyond_the_whole_is_refused(codec: GanCodec) -> None:
    image = Image(picture(3, 96))
    with pytest.raises(UsageError, match="blend"):
        codec.encode(image, {"blend": 101}, CTX)

    def beyond(section: bytearray) -> None:
        section[BLEND] = 101

    with pytest.raises(CorruptStream, match="blend of 101 %"):
        codec.decode(rewritten(codec.encode(image, {}, CTX).data, beyond), CTX)


def test_a_rate_is_searched_for_within_its_range(codec: GanCodec) -> None:
    with pytest.raises(UsageError, match="quality"):
        codec.encode(Image(picture(3, 96)), {"quality": 60.0}, CTX)


def test_without_its_parent_it_says_what_is_missing(
    codec: GanCodec, weights: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = Path(weights.split(os.pathsep)[1])
    monkeypatch.setenv(stored.VARIABLE, str(alone))
    with pytest.raises(EngineError, match="builds on the weights"):
        stored.read(alone)
