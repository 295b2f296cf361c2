"""The memory limit: what people may write, who outranks whom, and the refusal with both figures."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import psutil
import pytest

from engine import memory
from engine.codec import Capabilities, CodecInfo
from engine.errors import LimitExceeded, UsageError
from engine.image import Alpha, Image
from engine.metrics import error_map, metric, scores


@pytest.fixture(autouse=True)
def _default_limit(monkeypatch):
    monkeypatch.delenv(memory.VARIABLE, raising=False)
    yield
    memory.set_limit(None)


@pytest.mark.parametrize(
    ("text", "size"),
    [("1000", 1000), ("4k", 4096), ("1.5M", 3 << 19), ("2 GiB", 2 << 30), ("2gb", 2 << 30), (" 1T ", 1 << 40)],
)
def test_sizes_are_read_as_people_write_them(text, size):
    assert memory.parse(text) == size


def test_a_share_is_of_the_physical_memory():
    assert memory.parse("25%") == psutil.virtual_memory().total // 4


@pytest.mark.parametrize("text", ["", "much", "-1G", "0", "5 apples", "1e9", "G"])
def test_other_texts_are_refused_with_the_ways_to_write_it(text):
    with pytest.raises(UsageError, match="8G"):
        memory.parse(text)


def test_the_variable_outranks_the_setting_and_the_setting_the_default(monkeypatch):
    assert memory.limit() == psutil.virtual_memory().total // 2
    memory.set_limit(123)
    assert memory.limit() == 123
    monkeypatch.setenv(memory.VARIABLE, "1M")
    assert memory.limit() == 1 << 20


def test_a_refusal_gives_both_figures():
    memory.set_limit(100 << 20)
    memory.require(100 << 20, "this")
    with pytest.raises(LimitExceeded, match=r"encoding needs about 1\.5 GiB of memory, the limit is 100 MiB"):
        memory.require(3 << 29, "encoding")


def test_the_estimate_counts_samples_and_both_pictures():
    info = CodecInfo("x", "X", "dct", ".x", capabilities=Capabilities(memory=10))
    image = Image(np.zeros((20, 30, 3), np.uint16))
    assert memory.encode_estimate(info, image) == 20 * 30 * 3 * (10 + 3 * 2)


def test_grey_that_a_codec_takes_as_rgb_counts_threefold():
    info = CodecInfo("x", "X", "dct", ".x", capabilities=Capabilities(memory=10, gray=False))
    assert memory.encode_estimate(info, Image(np.zeros((20, 30), np.uint8))) == 20 * 30 * (3 * 10 + 1 + 2 * 3)


def test_scores_and_maps_beyond_the_limit_are_refused_before_they_begin():
    image = Image(np.zeros((400, 500, 3), np.uint8))
    memory.set_limit(1 << 20)
    with pytest.raises(LimitExceeded, match=r"comparing these pictures needs about"):
        scores(image, image, ["psnr"])
    with pytest.raises(LimitExceeded, match=r"the FLIP map needs about"):
        error_map(image, image, "flip")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("kind", ["RGB", "RGBA"])
def test_scores_and_maps_stay_within_their_estimate(kind):
    program = f"""
import numpy as np
from engine import memory
from engine.image import Alpha, Image
from engine.metrics import error_map, metric, scores
def peak():
    return 1024 * int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
def picture(height, seed):
    pixels = np.random.default_rng(seed).integers(0, 256, (height, 1500, {len(kind)}), dtype=np.uint8)
    return Image(pixels, alpha=Alpha.{"STRAIGHT" if kind == "RGBA" else "NONE"})
for ids in (["psnr", "psnr_yuv", "ssim", "ms_ssim"],):
    small = picture(700, 0), picture(700, 1)  # as large as the strips are: what every picture costs
    scores(*small, ids), error_map(*small, "mse"), error_map(*small, "ssim")
    before = peak()
    large = picture(2100, 0), picture(2100, 1)
    scores(*large, ids), error_map(*large, "mse"), error_map(*large, "ssim")
    print(peak() - before, memory.metric_estimate([metric(each).info for each in ids], large[0]))
"""
    ended = subprocess.run([sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, check=True)
    measured, estimate = map(int, ended.stdout.split())
    assert 0 < measured <= estimate


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_flattening_holds_no_wide_copy_of_the_picture():
    program = """
import numpy as np
from engine.carry import flatten
from engine.image import Alpha, Image
def peak():
    return 1024 * int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])
flatten(Image(np.zeros((1024, 1024, 4), np.uint8), alpha=Alpha.STRAIGHT))
image = Image(np.ones((6000, 2000, 4), np.uint8), alpha=Alpha.STRAIGHT)
before = peak()
flatten(image)
print((peak() - before) / image.pixels.nbytes)
"""
    ended = subprocess.run([sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, check=True)
    assert float(ended.stdout) < 1.2


def test_the_pixel_limit_follows_the_memory_limit():
    memory.set_limit(32_000_000)
    assert memory.max_pixels() == 1_000_000


@pytest.mark.parametrize(
    ("size", "text"), [(512, "512 B"), (1536, "1.5 KiB"), (150 << 20, "150 MiB"), (3 << 40, "3.0 TiB")]
)
def test_sizes_are_written_for_people(size, text):
    assert memory.size_text(size) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (100 * 1024 - 52, "99.9 KiB"),
        (100 * 1024, "100 KiB"),
        (1024**2, "1.0 MiB"),
        (1024**3 * 3.4, "3.4 GiB"),
        (5 * 1024**5, "5120 TiB"),
    ],
)
def test_a_unit_begins_where_the_one_before_has_1024(size, text):
    assert memory.size_text(size) == text


def metric_info(amount):
    return replace(metric("psnr").info, memory=amount)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_comparison_holds_both_pictures_twice_and_the_dearest_metric(channels):
    alpha = Alpha.STRAIGHT if channels == 4 else Alpha.NONE
    image = Image(np.zeros((20, 30, channels), np.uint16), alpha=alpha)
    pictures = 2 * 2 * channels * 600 + 2 * 2 * 3 * 600
    assert memory.metric_estimate([metric_info(5.0), metric_info(9.125), metric_info(1.0)], image) == pictures + 5475
    assert memory.metric_estimate([], image) == pictures


@pytest.mark.parametrize(("amount", "size"), [(2.5, 250), (2.507, 251), (2.504, 250)])
def test_an_estimate_is_rounded_to_whole_bytes(amount, size):
    info = CodecInfo("x", "X", "dct", ".x", capabilities=Capabilities(memory=amount))
    assert memory.decode_estimate(info, 100) == size
    assert memory.encode_estimate(info, Image(np.zeros((10, 10), np.uint8))) == 300 + size
