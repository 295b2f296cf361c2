"""The memory limit: what people may write, who outranks whom, and the refusal with both figures."""

from __future__ import annotations

import numpy as np
import psutil
import pytest

from engine import memory
from engine.codec import Capabilities, CodecInfo
from engine.errors import LimitExceeded, UsageError
from engine.image import Image


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
    assert memory.encode_estimate(info, image) == 20 * 30 * 3 * (10 + 2 * 2)


def test_the_pixel_limit_follows_the_memory_limit():
    memory.set_limit(32_000_000)
    assert memory.max_pixels() == 1_000_000


@pytest.mark.parametrize(
    ("size", "text"), [(512, "512 B"), (1536, "1.5 KiB"), (150 << 20, "150 MiB"), (3 << 40, "3.0 TiB")]
)
def test_sizes_are_written_for_people(size, text):
    assert memory.size_text(size) == text
