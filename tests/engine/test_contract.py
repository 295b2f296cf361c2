"""What every codec in the registry promises, checked alike for all of them."""

from __future__ import annotations

import json
import os
import pickle
import struct
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from engine import carry, registry
from engine.codec import Codec, Ctx, Detailed, Mapped, Param
from engine.color import DISPLAY_P3, LINEAR_SRGB, SRGB, ColorSpec
from engine.errors import Cancelled, CorruptStream, LimitExceeded, Unsupported
from engine.image import Alpha, Image
from engine.knob import Knob
from engine.learned.recipe import ZOO
from engine.metrics import scores
from engine.textures.packed import PACKINGS

SIZES = [(1, 1), (1, 13), (13, 1), (2, 3), (17, 19), (31, 67)]
CTX = Ctx()
OURS = ("dct", "dct-rans", "wavelet")
LEARNED = ("hyperprior", "lightmap-ae", "lightmap-multiscale")
IMPORTED = "cai-mbt2018-mean"
ROOT = Path(__file__).parents[2]


def usable(codec_id: str) -> Codec:
    codec = registry.codec(codec_id)
    reason = codec.available()
    if reason is not None:
        pytest.skip(f"{codec_id}: {reason}")
    return codec


@pytest.fixture(scope="module", autouse=True)
def weights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Small weights for the learned codecs: the contract is theirs whatever they have learned."""
    from tiny_checkpoint import tiny_imported
    from tiny_model import tiny_light_weights, tiny_weights

    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("weights")
        files = (
            tiny_weights(folder),
            tiny_light_weights(folder),
            *tiny_imported(folder, "mbt2018-mean", gains=(2, 12, 96)),
        )
        patch.setenv("RATESCOPE_WEIGHTS", os.pathsep.join(map(str, files)))
        yield


@pytest.fixture(params=[*registry.BUILTIN, IMPORTED])
def codec(request: pytest.FixtureRequest) -> Iterator[Codec]:
    yield usable(request.param)


@cache
def picture(height: int, width: int, channels: int = 3, bits: int = 8) -> Image:
    """Waves and a little noise; alpha runs from clear to opaque."""
    rng = np.random.default_rng(7)
    y, x = np.mgrid[0:height, 0:width]
    phases = rng.uniform(0, 6, channels)
    waves = 0.5 + 0.35 * np.sin(x[:, :, None] / 9 + phases) * np.cos(y[:, :, None] / 7 + phases[::-1])
    values = np.clip(waves + rng.normal(0, 0.02, waves.shape), 0, 1)
    alpha = Alpha.STRAIGHT if channels in (2, 4) else Alpha.NONE
    if alpha is Alpha.STRAIGHT:
        values[:, :, -1] = np.linspace(0, 1, height * width).reshape(height, width)
    dtype = np.uint8 if bits <= 8 else np.uint16
    return Image(np.rint(values * (2**bits - 1)).astype(dtype), alpha=alpha, bits=bits)


@cache
def light(height: int, width: int, channels: int = 3) -> Image:
    """Light in floats over 18 stops, smooth, with a texel of black."""
    y, x = np.mgrid[0:height, 0:width]
    waves = np.sin(x / 11 + 1)[:, :, None] * np.cos(y / 8)[:, :, None] * np.array([1, 0.95, 0.9])[:channels]
    pixels = np.exp2(-2 + 9 * waves).astype(np.float32)
    pixels[0, 0] = 0
    return Image(pixels, LINEAR_SRGB)


def log2_psnr(ref: Image, img: Image) -> float:
    """PSNR of log2(x + 2⁻¹⁰) with a peak of 16 stops."""
    stops = [np.log2(np.maximum(each.pixels.astype(np.float64), 0) + 2.0**-10) for each in (ref, img)]
    return float(10 * np.log10(256 / np.maximum(np.square(stops[0] - stops[1]).mean(), 1e-12)))


def carries_light(codec: Codec) -> Codec:
    if not codec.info.capabilities.hdr:
        pytest.skip("makes no such claim")
    return codec


def fitted(codec: Codec, image: Image) -> Image:
    """The picture as the codec carries it; as light, if it carries nothing else."""
    if not carried_bits(codec) and not image.is_float:
        image = Image(image.colour_pixels.astype(np.float32) / np.float32(image.peak), LINEAR_SRGB)
    return carry.fit(image, codec.info).image


def db(ref: Image, img: Image) -> float:
    """PSNR, or log2-PSNR of light."""
    return log2_psnr(ref, img) if ref.is_float else scores(ref, img, ["psnr"])["psnr"]


def has_rates(codec: Codec) -> Param:
    if codec.info.rate_param is None:
        pytest.skip("codes at one rate")
    return codec.info.rate_param


def carried_bits(codec: Codec) -> list[int]:
    return [bits for bits in (8, 10, 12, 16) if bits in codec.info.capabilities.depths]


@pytest.mark.parametrize("size", SIZES, ids=lambda s: f"{s[0]}x{s[1]}")
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_a_round_trip_keeps_size_depth_and_kind(codec: Codec, size: tuple[int, int], channels: int) -> None:
    for bits in carried_bits(codec):
        image = fitted(codec, picture(*size, channels, bits))
        decoded = codec.decode(codec.encode(image, {}, CTX).data, CTX)
        assert (decoded.height, decoded.width) == size
        assert (decoded.bits, decoded.pixels.dtype, decoded.color) == (image.bits, image.pixels.dtype, SRGB)
        assert decoded.is_gray <= image.is_gray
        # A format may leave out an alpha channel in which nothing is transparent.
        plane = image.alpha_plane
        assert decoded.has_alpha == image.has_alpha or (plane is not None and (plane == image.peak).all())


def test_a_round_trip_resembles_the_picture(codec: Codec) -> None:
    image = fitted(codec, picture(61, 83))
    decoded = codec.decode(codec.encode(image, {}, CTX).data, CTX)
    assert db(image, decoded) > 24


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_lossless_is_exact(codec: Codec, channels: int) -> None:
    if not codec.info.capabilities.lossless:
        pytest.skip("makes no such claim")
    for size in SIZES:
        for bits in carried_bits(codec):
            image = fitted(codec, picture(*size, channels, bits))
            decoded = codec.decode(codec.encode(image, {"lossless": True}, CTX).data, CTX)
            shown = decoded.pixels[:, :, : image.channels]
            assert (shown == image.pixels).all(), (size, bits)


def test_alpha_survives(codec: Codec) -> None:
    if not codec.info.capabilities.alpha:
        pytest.skip("makes no such claim")
    image = picture(61, 83, 4)
    decoded = codec.decode(codec.encode(image, {}, CTX).data, CTX)
    assert decoded.alpha is Alpha.STRAIGHT
    assert np.abs(decoded.pixels[:, :, 3].astype(int) - image.pixels[:, :, 3]).mean() < 6


def test_settings_survive_json(codec: Codec) -> None:
    settings = codec.info.complete({})
    image = fitted(codec, picture(17, 19))
    returned = json.loads(json.dumps(settings))
    assert codec.info.complete(returned) == settings
    assert codec.encode(image, returned, CTX).data == codec.encode(image, {}, CTX).data


def test_the_info_can_be_printed_as_json(codec: Codec) -> None:
    info = codec.info
    printed = json.loads(json.dumps({"params": [p.to_json() for p in info.params], "can": info.capabilities.to_json()}))
    assert [p["name"] for p in printed["params"]] == list(info.defaults())
    assert info.extension.startswith(".")
    assert codec.version()


def test_one_setting_gives_one_file_whatever_the_threads(codec: Codec) -> None:
    image = fitted(codec, picture(150, 170))
    first = codec.encode(image, {}, Ctx(threads=1)).data
    assert codec.encode(image, {}, Ctx(threads=1)).data == first
    assert codec.encode(image, {}, Ctx(threads=3)).data == first


def test_what_an_encoder_says_it_coded_is_what_the_decoder_finds(codec: Codec) -> None:
    encoded = codec.encode(fitted(codec, picture(17, 19)), {}, CTX)
    details = codec.details(encoded.data, CTX) if isinstance(codec, Detailed) else {}
    assert encoded.stats.get("symbols") == details.get("symbols")


def test_the_picture_is_not_touched(codec: Codec) -> None:
    image = fitted(codec, picture(31, 67))
    before = image.pixels.copy()
    codec.encode(image, {}, CTX)
    assert (image.pixels == before).all()


def test_cancel_is_honoured(codec: Codec) -> None:
    image = fitted(codec, picture(31, 67))
    data = codec.encode(image, {}, CTX).data
    unwanted = Ctx(cancel=lambda: True)
    with pytest.raises(Cancelled):
        codec.encode(image, {}, unwanted)
    with pytest.raises(Cancelled):
        codec.decode(data, unwanted)


def test_display_p3_is_kept_or_refused(codec: Codec) -> None:
    image = replace(picture(31, 67), color=DISPLAY_P3)
    if not codec.info.capabilities.wide_gamut:
        with pytest.raises(Unsupported):
            codec.encode(image, {}, CTX)
        assert fitted(codec, image).color == (SRGB if carried_bits(codec) else LINEAR_SRGB)
        return
    if not carried_bits(codec):
        image = replace(fitted(codec, image), color=ColorSpec(DISPLAY_P3.primaries, LINEAR_SRGB.transfer))
        assert codec.decode(codec.encode(image, {}, CTX).data, CTX).color == image.color
        return
    decoded = codec.decode(codec.encode(image, {}, CTX).data, CTX)
    assert decoded.color == DISPLAY_P3
    plain = codec.decode(codec.encode(replace(image, color=SRGB), {}, CTX).data, CTX)
    assert np.abs(decoded.pixels.astype(int) - plain.pixels).max() <= 1, "code values are converted by nobody"


@pytest.fixture(params=["codes", "light"])
def file(codec: Codec, request: pytest.FixtureRequest) -> bytes:
    """A file of a small picture, of code values or of light."""
    image = picture(61, 83) if request.param == "codes" else light(61, 83)
    if image.is_float:
        carries_light(codec)
    return codec.encode(fitted(codec, image), {}, CTX).data


def test_every_prefix_is_refused(codec: Codec, file: bytes) -> None:
    lengths = {
        *range(min(64, len(file))),
        *range(0, len(file), max(1, len(file) // 60)),
        *range(len(file) - 9, len(file)),
    }
    for length in sorted(lengths):
        with pytest.raises(CorruptStream):
            codec.decode(file[:length], CTX)


def test_mutated_streams_are_refused_or_decode_to_a_bounded_picture(codec: Codec, file: bytes) -> None:
    rng = np.random.default_rng(9)
    for _ in range(120):
        mutant = bytearray(file)
        for place in rng.integers(0, len(file), rng.integers(1, 4)):
            mutant[place] = rng.integers(256)
        try:
            decoded = codec.decode(bytes(mutant), CTX)
        except (CorruptStream, LimitExceeded, Unsupported):
            continue
        assert decoded.pixels.size <= 1 << 24


@pytest.mark.parametrize(
    "rubbish", [b"", b"\0", b"not a picture at all", bytes(5000), b"\xff\xd8\xff\xd9", b"\xff\x0a"]
)
def test_rubbish_is_refused(codec: Codec, rubbish: bytes) -> None:
    with pytest.raises(CorruptStream):
        codec.decode(rubbish, CTX)


def test_better_settings_spend_more_bits_on_less_error(codec: Codec) -> None:
    """Strictly so for our own codecs, from end to end for everybody's."""
    rate = has_rates(codec)
    image = fitted(codec, picture(97, 113))
    points = []
    for fraction in np.linspace(0, 1, 17 if codec.info.id in OURS else 5):
        data = codec.encode(image, {rate.name: Knob(rate).even(fraction)}, CTX).data
        points.append((len(data), db(image, codec.decode(data, CTX))))
    rise = 3 if codec.info.family == "learned" else 5  # small weights keep few coefficients
    assert points[-1][0] > points[0][0] and points[-1][1] > points[0][1] + rise
    if codec.info.id in OURS:
        assert points == sorted(points)
        assert [db for _, db in points] == sorted(db for _, db in points)


@pytest.mark.parametrize("size", [*SIZES, (61, 83)], ids=lambda s: f"{s[0]}x{s[1]}")
@pytest.mark.parametrize("channels", [1, 3])
def test_light_comes_back_as_light(codec: Codec, size: tuple[int, int], channels: int) -> None:
    image = fitted(carries_light(codec), light(*size, channels))
    decoded = codec.decode(codec.encode(image, {}, CTX).data, CTX)
    assert decoded.pixels.shape == image.pixels.shape and decoded.is_float and decoded.color == LINEAR_SRGB
    assert np.isfinite(decoded.pixels).all() and (decoded.pixels >= 0).all()
    if codec.info.id in PACKINGS:  # which clip
        image = image.with_pixels(np.minimum(image.pixels, PACKINGS[codec.info.id].brightest))
    assert min(size) < 61 or log2_psnr(image, decoded) > 30


def test_the_best_setting_keeps_light_within_a_hundredth_of_a_stop_and_the_best_block_within_a_fortieth(
    codec: Codec,
) -> None:
    rate = has_rates(carries_light(codec))
    image = fitted(codec, light(61, 83))
    decoded = codec.decode(codec.encode(image, {rate.name: Knob(rate).even(1)}, CTX).data, CTX)
    assert log2_psnr(image, decoded) > (56 if codec.info.family == "texture" else 64)


def test_wide_gamut_light_keeps_its_primaries(codec: Codec) -> None:
    image = replace(light(17, 19), color=ColorSpec(DISPLAY_P3.primaries, LINEAR_SRGB.transfer))
    if carries_light(codec).info.family == "texture":
        with pytest.raises(Unsupported, match="name no colours"):
            codec.encode(fitted(codec, image), {}, CTX)
        return
    decoded = codec.decode(codec.encode(fitted(codec, image), {}, CTX).data, CTX)
    assert decoded.color == image.color


def test_lossless_light_is_exact_or_refused(codec: Codec) -> None:
    if not carries_light(codec).info.capabilities.lossless:
        pytest.skip("makes no such claim")
    image = fitted(codec, light(17, 19))
    try:
        data = codec.encode(image, {"lossless": True}, CTX).data
    except Unsupported as error:
        assert "lossless" in str(error)
    else:
        assert (codec.decode(data, CTX).pixels == image.pixels).all()


def test_a_codec_that_carries_light_says_how(codec: Codec) -> None:
    can = codec.info.capabilities
    assert bool(can.light) == can.hdr
    if can.hdr:
        assert carry.fit(light(5, 7), codec.info).notes == (f"{codec.info.label} {can.light}",)
    else:
        with pytest.raises(Unsupported, match=f"{codec.info.label} carries .* only"):
            carry.fit(light(5, 7), codec.info)


def maps_bits(codec: Codec) -> Mapped:
    if not isinstance(codec, Mapped):
        pytest.skip("makes no such claim")
    return codec


def half_flat(height: int, width: int, channels: int) -> Image:
    """The left half of one tone, noise in the right one."""
    noise = np.random.default_rng(3).integers(0, 256, (height, width, channels), np.uint8)
    noise[:, : width // 2] = 90
    return Image(noise)


@pytest.mark.parametrize("size", [*SIZES, (61, 83), (130, 190)], ids=lambda s: f"{s[0]}x{s[1]}")
def test_a_bit_map_and_what_is_apart_sum_to_the_file(codec: Codec, size: tuple[int, int]) -> None:
    mapped = maps_bits(codec)
    pictures = [picture(*size, channels) for channels in (1, 3, 4)] + [half_flat(*size, 3)]
    if codec.info.capabilities.hdr:
        pictures.append(light(*size))
    for image in (fitted(codec, each) for each in pictures):
        data = codec.encode(image, {}, CTX).data
        found = mapped.bit_map(data, CTX)
        assert (found.bits.shape, found.bits.dtype) == (size, np.float32)
        assert np.isfinite(found.bits).all() and (found.bits >= 0).all()
        assert all(name and isinstance(part, int) and part > 0 for name, part in found.apart.items())
        file = 8 * len(data)
        assert abs(found.bits.sum(dtype=np.float64) + 8 * found.apart_bytes - file) <= max(0.02 * file, 16)


def test_bits_are_where_the_detail_is(codec: Codec) -> None:
    image = fitted(codec, half_flat(192, 256, 3))
    bits = maps_bits(codec).bit_map(codec.encode(image, {}, CTX).data, CTX).bits
    more = 1.5 if codec.info.family == "learned" else 10  # small weights do not know yet that nothing costs nothing
    assert bits[:, 160:].sum() > more * bits[:, :96].sum()


def test_an_encoder_shows_the_map_of_its_file(codec: Codec) -> None:
    image = fitted(codec, picture(61, 83))
    encoded = codec.encode(image, {}, CTX)
    if not isinstance(codec, Mapped):
        assert encoded.bit_map is None
        return
    assert encoded.bit_map is not None
    assert (encoded.bit_map == codec.bit_map(encoded.data, CTX).bits).all()


def test_no_bits_are_told_of_a_damaged_file(codec: Codec) -> None:
    mapped = maps_bits(codec)
    data = codec.encode(fitted(codec, picture(61, 83)), {}, CTX).data
    for length in range(0, len(data), max(1, len(data) // 23)):
        with pytest.raises(CorruptStream):
            mapped.bit_map(data[:length], CTX)
    with pytest.raises(Cancelled):
        mapped.bit_map(data, Ctx(cancel=lambda: True))


@pytest.fixture(scope="module")
def samples() -> dict[str, dict[str, bytes]]:
    """For each usable codec: files of a colour, a grey, and where it can a transparent, a lossless, an HDR picture."""
    files: dict[str, dict[str, bytes]] = {}
    for codec in registry.codecs():
        if codec.info.id not in (*registry.BUILTIN, IMPORTED) or codec.available() is not None:
            continue
        can = codec.info.capabilities
        cases = {"colour": (3, {}), "grey": (1, {})}
        cases |= {"alpha": (4, {})} if can.alpha else {}
        cases |= {"lossless": (3, {"lossless": True})} if can.lossless else {}
        files[codec.info.id] = {
            name: codec.encode(fitted(codec, picture(61, 83, channels)), settings, CTX).data
            for name, (channels, settings) in cases.items()
        }
        if can.hdr:
            files[codec.info.id]["light"] = codec.encode(fitted(codec, light(61, 83)), {}, CTX).data
    return files


def in_fresh_process(program: str, given: object) -> dict[str, dict[str, str]]:
    """What `program` prints as JSON; it finds `given` as pickled `files` on its standard input."""
    preamble = "import sys, json, pickle; files = pickle.load(sys.stdin.buffer)\n"
    done = subprocess.run(
        [sys.executable, "-c", preamble + textwrap.dedent(program)],
        input=pickle.dumps(given),
        capture_output=True,
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return json.loads(done.stdout)


def test_a_fresh_process_decodes_to_the_same_pixels(samples: dict[str, dict[str, bytes]]) -> None:
    here = {
        codec_id: {name: registry.codec(codec_id).decode(data, CTX).digest for name, data in files.items()}
        for codec_id, files in samples.items()
    }
    there = in_fresh_process(
        """
        from engine import registry
        from engine.codec import Ctx
        digests = {}
        for codec_id, named in files.items():
            codec = registry.codec(codec_id)
            digests[codec_id] = {name: codec.decode(data, Ctx(threads=2)).digest for name, data in named.items()}
        print(json.dumps(digests))
        """,
        samples,
    )
    assert there == here


def claims_of_huge_size(codec_id: str, data: bytes) -> Iterator[bytes]:
    """The same stream with huge sides wherever two fields in a row look like its own sides, 61 and 83."""
    for kind, huge in ((">2H", 65_000), (">2I", 60_000), ("<2I", 60_000)):
        width = struct.calcsize(kind)
        for where in range(min(len(data) - width, 400)):
            if set(struct.unpack_from(kind, data, where)) == {61, 83}:
                yield data[:where] + struct.pack(kind, huge, huge) + data[where + width :]
    if codec_id == "webp":  # VP8: 14 bits little-endian; VP8X: 24 bits less one
        for where in range(12, 40):
            yield data[:where] + b"\xff\x3f\xff\x3f" + data[where + 4 :]
    if codec_id == "heic":  # sides are those of whole coding blocks
        where = data.find(b"ispe") + 8
        yield data[:where] + struct.pack(">2I", 60_000, 60_000) + data[where + 8 :]
    if codec_id == "exr-dwa":  # the data window, by its first and last columns and rows
        where = data.find(b"box2i\0") + 18
        yield data[:where] + struct.pack("<2i", 60_000, 60_000) + data[where + 8 :]
    if codec_id == "jxl":  # all ones but the flag for small sides: 2³⁰ high and twice as wide
        yield data[:2] + ((1 << 64) - 2).to_bytes(8, "little") + data[10:]
    if codec_id in (
        *OURS,
        "hyperprior",
        *ZOO,
        "lightmap-ae",
        "lightmap-multiscale",
        IMPORTED,
    ):  # any byte of what they write may belong to a side
        for where in range(min(len(data), 64)):
            yield data[:where] + b"\xff\xff\xff\x7f" + data[where + 4 :]


@pytest.mark.skipif(sys.platform != "linux", reason="limits the address space")
def test_no_header_makes_a_decoder_take_more_memory_than_is_allowed(samples: dict[str, dict[str, bytes]]) -> None:
    """The memory limit is set to 256 MiB, and the process may grow by 1 GiB; the lies ask for tens of GiB."""
    hostile = {
        codec_id: {
            f"{name}-{n}": bad for name in files for n, bad in enumerate(claims_of_huge_size(codec_id, files[name]))
        }
        for codec_id, files in samples.items()
    }
    assert all(hostile.values()), "every codec has a header to lie in"
    outcomes = in_fresh_process(
        """
        import resource
        from engine import memory, registry
        from engine.codec import Ctx
        from engine.errors import EngineError
        memory.set_limit(256 << 20)
        for codec_id, named in files["good"].items():  # load every library before the limit falls
            registry.codec(codec_id).decode(named["colour"], Ctx())
        used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + (1 << 30), used + (1 << 30)))
        outcomes = {}
        for codec_id, named in files["bad"].items():
            outcomes[codec_id] = {}
            for name, data in named.items():
                try:
                    image = registry.codec(codec_id).decode(data, Ctx())
                    outcomes[codec_id][name] = "bounded" if image.pixels.size < 1 << 26 else "huge"
                except EngineError as error:
                    outcomes[codec_id][name] = type(error).__name__
        print(json.dumps(outcomes))
        """,
        {"good": samples, "bad": hostile},
    )
    for codec_id, named in outcomes.items():
        assert set(named.values()) <= {"bounded", "CorruptStream", "LimitExceeded", "Unsupported"}, codec_id
        assert {"CorruptStream", "LimitExceeded"} & set(named.values()), f"{codec_id}: no lie was noticed"
