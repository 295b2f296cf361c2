"""`hyperprior` on a tiny model with random weights: what it promises besides the contract of all codecs."""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_model import picture, tiny_weights

from engine import container, memory, registry
from engine.codec import Ctx, Modelled
from engine.codecs import hyperprior, learned
from engine.container import Picture, Section
from engine.errors import Cancelled, CorruptStream, EngineError, LimitExceeded, Unsupported
from engine.image import Alpha, Image
from engine.learned import needs, stored, tiles
from engine.metrics import scores
from engine.trial import run_trial

CTX = Ctx()


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_weights(tmp_path_factory.mktemp("weights"))


@pytest.fixture(autouse=True)
def codec(weights: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[hyperprior.HyperpriorCodec]:
    monkeypatch.setenv(stored.VARIABLE, str(weights))
    yield registry.codec("hyperprior")


def image(side: int = 96, seed: int = 3) -> Image:
    return Image(picture(seed, side))


def rewritten(data: bytes, change) -> bytes:  # type: ignore[no-untyped-def]
    """The stream with its section changed, and checksums that fit."""
    stream = container.read(data)
    section = change(bytearray(stream.section(Section.HYPERPRIOR)))
    return container.write("hyperprior", stream.picture, {Section.HYPERPRIOR: bytes(section)})


def test_quality_is_continuous_and_names_the_rate(codec: hyperprior.HyperpriorCodec) -> None:
    sizes = []
    for quality in (0, 33.3, 33.5, 66, 100):
        encoded = codec.encode(image(), {"quality": quality}, CTX)
        assert encoded.stats["rate"] == round(quality / 100 * 512) / 256
        assert sum(encoded.stats["bytes"].values()) == len(encoded.data)
        sizes.append(len(encoded.data))
    assert sizes[0] < sizes[1] < sizes[3] < sizes[4] and sizes[1] <= sizes[2]


@pytest.mark.parametrize("size", [(1, 1), (64, 64), (65, 63), (130, 40)])
def test_any_size_and_kind_comes_back(codec: hyperprior.HyperpriorCodec, size: tuple[int, int]) -> None:
    colour = image(160).pixels[: size[0], : size[1]].copy()
    for pixels in (colour, colour[:, :, :1].copy()):
        decoded = codec.decode(codec.encode(Image(pixels), {"quality": 100}, CTX).data, CTX)
        assert decoded.pixels.shape == pixels.shape
        assert scores(Image(pixels), decoded, ["psnr"])["psnr"] > 25


def test_what_it_does_not_carry_is_refused(codec: hyperprior.HyperpriorCodec) -> None:
    deep = Image(image().pixels.astype(np.uint16) << 8, bits=16)
    clear = Image(np.dstack([image().pixels, np.full((96, 96), 9, np.uint8)]), alpha=Alpha.STRAIGHT)
    for bad in (deep, clear):
        with pytest.raises(Unsupported):
            codec.encode(bad, {}, CTX)


def test_tiles_change_nothing(codec: hyperprior.HyperpriorCodec, monkeypatch: pytest.MonkeyPatch) -> None:
    large = image(400)
    whole = codec.encode(large, {}, CTX)
    decoded = codec.decode(whole.data, CTX)
    monkeypatch.setattr(tiles, "TILE", 64)
    again = codec.decode(whole.data, CTX)
    assert np.abs(again.pixels.astype(int) - decoded.pixels).max() <= 1
    assert (again.pixels != decoded.pixels).mean() < 1e-3
    monkeypatch.setattr(tiles, "TILE", 192)
    tiled = codec.decode(codec.encode(large, {}, CTX).data, CTX)
    assert np.abs(tiled.pixels.astype(int) - decoded.pixels).mean() < 0.01


def test_tiles_bound_what_the_networks_see_at_once(
    codec: hyperprior.HyperpriorCodec, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []
    monkeypatch.setattr(tiles, "TILE", 128)
    model = learned.load(stored.named("hyperprior", codec.encode(image(), {}, CTX).stats["weights"])).networks
    render = model.render
    monkeypatch.setattr(
        model, "render", lambda values, *rest: (seen.append(values.shape[-1]), render(values, *rest))[1]
    )
    codec.decode(codec.encode(image(512), {}, CTX).data, CTX)
    assert len(seen) == 16
    assert max(seen) < 512 // 16


# --- Weights --------------------------------------------------------------------------------------------------------


def test_version_names_the_weights(codec: hyperprior.HyperpriorCodec, weights: Path) -> None:
    digest = json.loads(weights.with_suffix(".json").read_text())["digest"]
    assert codec.available() is None
    assert f"weights {digest[:8]}" in codec.version()
    assert isinstance(codec, Modelled) and codec.model() == f"CPU · model {digest[:8]}"


def test_loading_is_no_part_of_any_time(codec: hyperprior.HyperpriorCodec, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = itertools.count()
    load = learned.load.__wrapped__

    def slow(weights: stored.Installed) -> learned.Model:
        for _ in range(1000):
            next(seconds)
        return load(weights)

    monkeypatch.setattr(learned, "load", functools.lru_cache(slow))
    monkeypatch.setattr("engine.trial.time.perf_counter", lambda: float(next(seconds)))
    learned._warm.cache_clear()
    run = run_trial(codec, image(), {}, (), CTX)
    assert next(seconds) > 1000, "nothing was loaded"
    assert (run.trial.encode_s, run.trial.decode_s) == (1, 1)


def test_without_weights_it_says_where_to_put_them(
    codec: hyperprior.HyperpriorCodec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = codec.encode(image(), {}, CTX).data
    monkeypatch.setattr(stored.zoo, "models", lambda: [])
    monkeypatch.setenv(stored.VARIABLE, str(tmp_path / "none.safetensors"))
    reason = codec.available()
    assert reason is not None and stored.VARIABLE in reason and str(stored.zoo.user_folder()) in reason
    name = container.read(data).section(Section.HYPERPRIOR)[1:5].hex()
    with pytest.raises(EngineError, match=name) as caught:
        codec.decode(data, CTX)
    assert str(stored.zoo.user_folder()) in str(caught.value)
    with pytest.raises(EngineError, match=stored.VARIABLE):
        codec.encode(image(), {}, CTX)


def test_other_weights_are_found_by_the_name_in_the_stream(
    codec: hyperprior.HyperpriorCodec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, weights: Path
) -> None:
    data = codec.encode(image(), {}, CTX).data
    other = tiny_weights(tmp_path, seed=1)
    monkeypatch.setenv(stored.VARIABLE, str(other))
    assert codec.encode(image(), {}, CTX).data != data
    monkeypatch.setattr(stored.zoo, "models", lambda: [])
    with pytest.raises(EngineError, match="not in"):
        codec.decode(data, CTX)
    mine = stored.zoo.Model("hyperprior", weights, False)
    monkeypatch.setattr(stored.zoo, "models", lambda: [mine])
    assert codec.decode(data, CTX).pixels.shape == (96, 96, 3)


def test_a_missing_library_is_the_reason(codec: hyperprior.HyperpriorCodec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needs, "find_spec", lambda name: None if name == "torch" else object())
    assert codec.available() == "torch must be installed: pip install torch"


def test_weights_whose_integers_were_exchanged_are_noticed(
    codec: hyperprior.HyperpriorCodec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stream that claims other weights than its own decodes to a plain error, not to another picture."""
    data = codec.encode(image(), {}, CTX).data
    other = tiny_weights(tmp_path, seed=1)
    monkeypatch.setenv(stored.VARIABLE, str(other))
    name = bytes.fromhex(next(stored.installed("hyperprior")).name)
    with pytest.raises(CorruptStream):
        codec.decode(rewritten(data, lambda section: section[:1] + name + section[5:]), CTX)


# --- Damage ---------------------------------------------------------------------------------------------------------


def test_sections_that_contradict_themselves_are_refused(codec: hyperprior.HyperpriorCodec) -> None:
    data = codec.encode(image(), {}, CTX).data

    def refused(change, kind: type[EngineError] = CorruptStream) -> None:  # type: ignore[no-untyped-def]
        with pytest.raises(kind):
            codec.decode(rewritten(data, change), CTX)

    refused(lambda section: section[:7])
    refused(lambda section: section[:14])
    refused(lambda section: section[:-1])
    refused(lambda section: section + b"\0")
    refused(lambda section: section[:5] + b"\x01\x02" + section[7:])  # a rate of 513/256
    refused(lambda section: section[:5] + bytes([section[5] ^ 8]) + section[6:])  # another rate
    refused(lambda section: b"\x02" + section[1:], Unsupported)


def test_a_stream_cannot_claim_what_the_codec_does_not_carry(codec: hyperprior.HyperpriorCodec) -> None:
    stream = container.read(codec.encode(image(), {}, CTX).data)
    for change in ({"bits": 10}, {"channels": 4, "alpha": Alpha.STRAIGHT}):
        bad = container.write("hyperprior", replace(stream.picture, **change), stream.sections)
        with pytest.raises(CorruptStream):
            codec.decode(bad, CTX)
    with pytest.raises(Unsupported, match="wavelet"):
        codec.decode(container.write("wavelet", stream.picture, stream.sections), CTX)


def test_a_huge_claim_is_refused_before_anything_is_allocated(
    codec: hyperprior.HyperpriorCodec, monkeypatch: pytest.MonkeyPatch
) -> None:
    section = container.read(codec.encode(image(), {}, CTX).data).section(Section.HYPERPRIOR)
    lie = container.write("hyperprior", Picture(16_000, 16_000, 3), {Section.HYPERPRIOR: section})
    monkeypatch.setenv(memory.VARIABLE, "1G")
    for act in (codec.decode, codec.details):
        with pytest.raises(LimitExceeded):
            act(lie, CTX)


def test_changed_bytes_are_refused(codec: hyperprior.HyperpriorCodec) -> None:
    data = codec.encode(image(), {}, CTX).data
    rng = np.random.default_rng(1)
    for _ in range(40):
        place = int(rng.integers(7, len(container.read(data).section(Section.HYPERPRIOR))))

        def flip(section: bytearray, place: int = place) -> bytearray:
            section[place] ^= 1 << int(rng.integers(8))
            return section

        with pytest.raises(CorruptStream):
            codec.decode(rewritten(data, flip), CTX)


# --- Along the way --------------------------------------------------------------------------------------------------


def test_progress_rises_to_the_end(codec: hyperprior.HyperpriorCodec) -> None:
    data = codec.encode(image(), {}, CTX).data
    for act in (lambda ctx: codec.encode(image(), {}, ctx), lambda ctx: codec.decode(data, ctx)):
        seen: list[float] = []
        act(Ctx(progress=seen.append))
        assert seen == sorted(seen) and seen[-1] == 1.0 and len(seen) >= 3


def test_cancelling_stops_half_way(codec: hyperprior.HyperpriorCodec) -> None:
    data = codec.encode(image(), {}, CTX).data
    for act in (lambda ctx: codec.encode(image(), {}, ctx), lambda ctx: codec.decode(data, ctx)):
        asked = iter([False] * 10 + [True] * 10_000)
        with pytest.raises(Cancelled):
            act(Ctx(cancel=lambda asked=asked: next(asked)))


def test_the_digest_of_symbols_tells_pictures_and_rates_apart(codec: hyperprior.HyperpriorCodec) -> None:
    digests = [
        codec.details(codec.encode(image(seed=seed), {"quality": quality}, CTX).data, CTX)["symbols"]
        for seed, quality in ((1, 40), (1, 40), (2, 40), (1, 60))
    ]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 3


def test_the_encoder_notes_the_symbols_that_the_decoder_finds(codec: hyperprior.HyperpriorCodec) -> None:
    for quality in (0, 60, 100):
        encoded = codec.encode(image(), {"quality": quality}, CTX)
        assert encoded.stats["symbols"] == codec.details(encoded.data, CTX)["symbols"]
