"""JPEG streams written bit by bit: what no encoder writes, and a decoder must refuse or bear."""

from __future__ import annotations

import numpy as np
import pytest

from engine.codec import Ctx
from engine.codecs.dct import DctCodec
from engine.errors import CorruptStream
from engine.image import Image
from engine.native import jpeg
from tests.pictures import photo_like

# Symbols by code: 000, 001, 010, ... (three bits each).
DC = (0, 1, 11)
AC = (0x00, 0xF0, 0x01, 0xF1, 0x11, 0x10)


def code(table: tuple[int, ...], symbol: int, extra: str = "") -> str:
    return f"{table.index(symbol):03b}" + extra


def dc(symbol: int, extra: str = "") -> str:
    return code(DC, symbol, extra)


def ac(symbol: int, extra: str = "") -> str:
    return code(AC, symbol, extra)


END = ac(0x00)
FLAT = dc(0) + END  # a block like the one before


def segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(body) + 2).to_bytes(2, "big") + body


def steps(step: int = 1, number: int = 0) -> bytes:
    return segment(0xDB, bytes([number]) + bytes([step] * 64))


def codes(table: tuple[int, ...], kind_and_number: int) -> bytes:
    return segment(0xC4, bytes([kind_and_number, 0, 0, len(table), *[0] * 13, *table]))


def scan(bits: str, *, tables: int = 0, band: tuple[int, int, int] = (0, 63, 0)) -> bytes:
    """One scan of one component: its header, and `bits` filled up with ones."""
    bits += "1" * (-len(bits) % 8)
    data = bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))
    return segment(0xDA, bytes([1, 1, tables, *band])) + data.replace(b"\xff", b"\xff\x00")


def grey(*scans: bytes, width: int = 8, process: int = 0xC0, extra: bytes = b"", step: int = 1) -> bytes:
    """A grey picture 8 high."""
    frame = segment(process, bytes([8, 0, 8, 0, width, 1, 1, 0x11, 0]))
    head = b"\xff\xd8" + steps(step) + frame + codes(DC, 0x00) + codes(AC, 0x10) + extra
    return head + b"".join(scans) + b"\xff\xd9"


def read(data: bytes) -> np.ndarray:
    return jpeg.read(data, jpeg.probe(data)).levels


def refused(data: bytes) -> None:
    with pytest.raises(CorruptStream):
        read(data)


def test_a_stream_made_by_hand_decodes() -> None:
    levels = read(grey(scan(dc(1, "1") + ac(0x01, "0") + ac(0x11, "1") + END + FLAT), width=16))
    assert levels[:, :5].tolist() == [[1, -1, 0, 1, 0], [1, 0, 0, 0, 0]]


def test_a_run_may_end_at_the_last_coefficient_and_not_beyond() -> None:
    to_49 = dc(0) + 3 * ac(0xF0)
    assert read(grey(scan(to_49 + ac(0x11, "1") + 12 * ac(0x01, "1") + ac(0x01, "1")))).any()
    refused(grey(scan(to_49 + ac(0xF1, "1"))))  # position 64
    assert read(grey(scan(to_49 + ac(0x01, "1") + END)))[0, 49] == 1


def test_a_dc_beyond_twelve_bits_is_refused() -> None:
    most = dc(11, "1" * 11) + END
    assert read(grey(scan(most)))[0, 0] == 2047
    refused(grey(scan(most + dc(1, "1") + END), width=16))
    assert read(grey(scan(dc(11, "0" * 11) + END + dc(0) + END), width=16))[1, 0] == -2047


@pytest.mark.parametrize(("marker", "fits"), [(0xD0, True), (0xD1, False), (0xD7, False)])
def test_restarts_are_counted(marker: int, fits: bool) -> None:
    first, second = scan(FLAT), scan(dc(1, "1") + END)[10:]
    data = grey(first + bytes([0xFF, marker]) + second, width=16, extra=segment(0xDD, bytes([0, 1])))
    if fits:
        assert read(data)[:, 0].tolist() == [0, 1]
    else:
        refused(data)


def test_a_quantisation_table_beyond_the_fourth_is_refused() -> None:
    assert not read(grey(scan(FLAT), extra=steps(2, 3))).any()
    for number in (4, 15):
        with pytest.raises(CorruptStream):  # at once: what comes later may object for another reason
            jpeg.probe(grey(scan(FLAT), extra=steps(2, number)))


def test_a_huffman_table_beyond_the_fourth_is_refused() -> None:
    assert not read(grey(scan(FLAT), extra=codes(DC, 0x03) + codes(AC, 0x13))).any()
    for number in (0x04, 0x0F, 0x14, 0x20):
        refused(grey(scan(FLAT), extra=codes(DC, number)))


@pytest.mark.parametrize("tables", [0x40, 0x04, 0xF0, 0x0F])
def test_a_scan_that_names_a_table_beyond_the_fourth_is_refused(tables: int) -> None:
    # Both kinds of table say the same here, in case one is taken for the other.
    flat = codes(AC, 0x00) + codes(AC, 0x10) + codes(AC, 0x03) + codes(AC, 0x13)
    assert not read(grey(scan(2 * END), extra=flat)).any()
    refused(grey(scan(2 * END, tables=tables), extra=flat))


def test_components_of_a_scan_must_keep_the_order_of_the_frame() -> None:
    frame = segment(0xC0, bytes([8, 0, 8, 0, 8, 3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0]))
    head = b"\xff\xd8" + steps() + frame + codes(DC, 0x00) + codes(AC, 0x10)
    bits = scan(3 * FLAT)[10:] + b"\xff\xd9"

    def data(*ids: int) -> bytes:
        order = b"".join(bytes([each, 0]) for each in ids)
        return head + segment(0xDA, bytes([3]) + order + bytes([0, 63, 0])) + bits

    assert not read(data(1, 2, 3)).any()
    for ids in ((1, 3, 2), (2, 1, 3), (1, 1, 2), (1, 2, 9)):
        refused(data(*ids))


# Progressive: the DC, then one AC coefficient in the band 1...5, whose lowest bit waits.
FIRST = (scan(dc(0), band=(0, 0, 0)), scan(ac(0x01, "1") + END, band=(1, 5, 0x01)))


def refinement(bits: str) -> bytes:
    return grey(*FIRST, scan(bits, band=(1, 5, 0x10)), process=0xC2)


def test_a_refinement_adds_a_bit_and_a_new_coefficient() -> None:
    # After a run of three zeros the last place of the band is the new one's; the known one is corrected on the way.
    assert read(refinement(code(AC, 0x11, "1") + "1" + END))[0, :6].tolist() == [0, 3, 0, 1, 0, 0]


def test_a_refinement_that_passes_the_end_of_its_band_is_refused() -> None:
    refused(refinement(code(AC, 0xF1, "1") + "1"))


def test_a_value_beyond_16_bits_saturates() -> None:
    for extra, shade in (("1" * 11, 255), ("0" * 11, 0)):
        data = grey(scan(dc(11, extra) + END), step=255)
        assert (jpeg.render(jpeg.read(data, jpeg.probe(data))) == shade).all()


def test_more_empty_blocks_than_one_symbol_counts_are_written_and_read() -> None:
    where = jpeg.layout(8 * 190, 8 * 180, 1, 1, 1)
    levels = np.zeros((where.blocks, 64), np.int16)
    levels[-1, 5] = 3
    assert where.blocks > 0x8000
    data = jpeg.write(levels, where, np.ones((1, 64), np.uint8), "progressive").data
    assert np.array_equal(read(data), levels)


def test_blocks_of_nothing_but_corrections_are_written_and_read() -> None:
    rng = np.random.default_rng(8)
    where = jpeg.layout(8 * 16, 8 * 8, 1, 1, 1)
    levels = (rng.integers(4, 8, (where.blocks, 64)) * rng.choice([-1, 1], (where.blocks, 64))).astype(np.int16)
    data = jpeg.write(levels, where, np.ones((1, 64), np.uint8), "progressive").data
    assert np.array_equal(read(data), levels)


def scan_bands(data: bytes) -> list[tuple[int, int, int]]:
    """First and last coefficient of each scan, and the bits that it brings."""
    found, at = [], data.find(b"\xff\xda")
    while at >= 0:
        end = at + 5 + 2 * data[at + 4]
        found.append((data[end], data[end + 1], data[end + 2]))
        at = data.find(b"\xff\xda", at + 2)
    return found


@pytest.mark.parametrize("ends", ["as they are", "all", "some", "with longer runs", "with runs of zeros"])
def test_levels_that_are_refined_are_written_and_read(ends: str) -> None:
    rng = np.random.default_rng(8)
    data = DctCodec().encode(Image(photo_like(160, 200)[:, :, :1]), {"scans": "progressive", "quality": 92}, Ctx()).data
    levels, where = read(data).copy(), jpeg.layout(200, 160, 1, 1, 1)
    if ends in ("all", "some"):  # a new level at the very end of the band: no run of empty blocks begins there
        last = rng.choice([-1, 1], where.blocks) if ends == "all" else rng.choice([-1, 0, 1], where.blocks)
        levels[:, 63] = last
    if ends == "with longer runs":
        levels[40:400, 1:] = np.where(np.abs(levels[40:400, 1:]) < 2, 0, levels[40:400, 1:])
    if ends == "with runs of zeros":
        levels[::19, 2:40] = 0
        levels[::19, [1, 45, 60]] = rng.choice([-5, -1, 1, 2, 3], (len(levels[::19]), 3))
    data = jpeg.write(levels, where, np.ones((1, 64), np.uint8), "progressive").data
    assert (1, 63, 0x10) in scan_bands(data), "the plan of scans refines"
    assert np.array_equal(read(data), levels)


@pytest.mark.parametrize("mode", ["sequential", "progressive"])
def test_the_header_ends_where_the_first_codes_begin(mode: jpeg.Mode) -> None:
    where = jpeg.layout(20, 20, 3, 2, 2)
    written = jpeg.write(np.zeros((where.blocks, 64), np.int16), where, np.ones((2, 64), np.uint8), mode)
    assert written.header_bytes == written.data.index(b"\xff\xc4")
    assert written.scans == written.data.count(b"\xff\xda")
    assert written.progressive == (mode == "progressive")
