"""JPEG headers written byte by byte: each field at its limits, each rule of T.81 kept and broken, and what is said."""

from __future__ import annotations

import numpy as np
import pytest
from test_jpeg_by_hand import AC, DC, END, FLAT, ac, codes, dc, grey, read, scan, segment, steps

from engine.errors import CorruptStream, Unsupported
from engine.native import jpeg
from engine.native._base import ffi, lib

CORRUPT, TRUNCATED, UNSUPPORTED, ARGUMENT = -4, -3, -6, -1
SOI, EOI = b"\xff\xd8", b"\xff\xd9"
TABLES = steps() + codes(DC, 0x00) + codes(AC, 0x10)
GOOD = grey(scan(FLAT))


def frame(
    *components: tuple[int, int, int], width: int = 8, height: int = 8, process: int = 0xC0, precision: int = 8
) -> bytes:
    """Components are (id, sampling, quantisation table)."""
    sides = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    listed = b"".join(bytes(each) for each in components)
    return segment(process, bytes([precision]) + sides + bytes([len(components)]) + listed)


def probed(data: bytes) -> tuple[int, list[int]]:
    """What the library returns, and its info array, which held something else before."""
    info = ffi.new("int32_t[]", [77] * lib.RS_JPEG_FIELDS)
    return int(lib.rs_jpeg_probe(data, len(data), info)), list(info)


def read_code(data: bytes) -> int:
    """What the library returns for a whole file; its header's own refusal if it has one."""
    info = ffi.new("int32_t[]", lib.RS_JPEG_FIELDS)
    blocks = int(lib.rs_jpeg_probe(data, len(data), info))
    if blocks < 0:
        return blocks
    levels, tables = ffi.new("int16_t[]", 64 * blocks), ffi.new("uint16_t[]", 256)
    return int(lib.rs_jpeg_read(data, len(data), levels, blocks, tables, info))


# --- Markers


def test_a_file_is_as_long_as_its_last_marker_says() -> None:
    assert read_code(GOOD) == len(GOOD)
    assert read_code(GOOD + b"more") == len(GOOD)


def test_a_header_ends_with_that_of_the_first_scan() -> None:
    whole = grey()[:-2] + segment(0xDA, bytes([1, 1, 0, 0, 63, 0]))
    assert probed(whole)[0] == 1
    assert probed(whole[:-1])[0] == TRUNCATED


def test_what_is_known_of_a_file_is_in_the_info() -> None:
    colour = frame((1, 0x21, 0), (2, 0x11, 0), (3, 0x12, 0), width=20, height=12, process=0xC2)
    code_, info = probed(SOI + TABLES + colour + segment(0xDA, bytes([3, 1, 0, 2, 0, 3, 0, 0, 0, 0])))
    assert code_ == 4 * 1 + 2 * 1 + 2 * 2
    assert info == [20, 12, 3, 8, 0xC2, 1, 0, 0, 2, 1, 1, 1, 1, 2, 0, 0]
    assert probed(b"")[1] == [0] * lib.RS_JPEG_FIELDS


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", TRUNCATED),
        (b"\xff\xd8\xff", TRUNCATED),
        (b"\xff\xd7\xff\xd9", CORRUPT),
        (b"\xfe\xd8\xff\xd9", CORRUPT),
        (SOI + EOI, CORRUPT),
        (SOI + b"\xff\xff", TRUNCATED),
        (SOI + b"\xff\xe0", TRUNCATED),
        (SOI + b"\xff\xe0\x00", TRUNCATED),
        (SOI + b"\xff\xe0\x00\x00", CORRUPT),
        (SOI + b"\xff\xe0\x00\x01", CORRUPT),
        (SOI + b"\xff\xe0\x00\x03", TRUNCATED),
        (SOI + b"\xfe\xe0\x00\x02", CORRUPT),
        (SOI + segment(0xDA, bytes([1, 1, 0, 0, 63, 0])), CORRUPT),
        (SOI + TABLES + EOI, CORRUPT),
        (SOI + TABLES + frame((1, 0x11, 0)) + EOI, CORRUPT),
    ],
)
def test_a_file_that_is_none_is_refused(data: bytes, error: int) -> None:
    assert probed(data)[0] == error


@pytest.mark.parametrize("marker", [0x00, 0x01, 0xBF, 0xD0, 0xD7, 0xD8])
def test_a_marker_that_may_not_stand_here_is_refused(marker: int) -> None:
    assert probed(grey(scan(FLAT), extra=segment(marker, b"")))[0] == CORRUPT


@pytest.mark.parametrize("marker", [0xC8, 0xE1, 0xEF, 0xF0, 0xFD, 0xFE])
def test_segments_that_say_nothing_to_us_are_passed_over(marker: int) -> None:
    assert read_code(grey(scan(FLAT), extra=segment(marker, b"anything"))) > 0


@pytest.mark.parametrize("marker", [0xCC, 0xDC, 0xDE, 0xDF])
def test_processes_beyond_us_are_not_supported(marker: int) -> None:
    assert probed(grey(scan(FLAT), extra=segment(marker, bytes(2))))[0] == UNSUPPORTED


def test_a_restart_interval_has_two_bytes() -> None:
    assert read_code(grey(scan(FLAT), extra=segment(0xDD, bytes(2)))) > 0
    for wrong in (b"", b"\0", bytes(3)):
        assert probed(grey(scan(FLAT), extra=segment(0xDD, wrong)))[0] == CORRUPT


# --- Tables


def test_steps_of_two_bytes_and_several_tables_in_a_segment_are_read() -> None:
    wide = b"".join((300 + k).to_bytes(2, "big") for k in range(64))
    both = segment(0xDB, b"\x11" + wide + b"\x00" + bytes([7] * 64))
    data = SOI + both + frame((1, 0x11, 1)) + codes(DC, 0x00) + codes(AC, 0x10) + scan(dc(1, "1") + END) + EOI
    levels = jpeg.read(data, jpeg.probe(data))
    assert levels.tables[0].tolist() == [300 + k for k in range(64)]
    assert jpeg.render(levels)[0, 0, 0] == 128 + 38  # 300 / 8, to nearest


@pytest.mark.parametrize(
    "body",
    [
        bytes([0x20]) + bytes([1] * 128),
        bytes([0x04]) + bytes([1] * 64),
        bytes([0x00]) + bytes([1] * 63),
        bytes([0x10]) + bytes([1] * 127),
        bytes([0x00]) + bytes([1] * 64) + b"\x01",
        bytes([0x00]) + bytes([1] * 63) + b"\x00",
        bytes([0x00]) + b"\x00" + bytes([1] * 63),
        bytes([0x10]) + bytes([1] * 126) + bytes(2),
    ],
)
def test_quantisation_tables_that_make_no_sense_are_refused(body: bytes) -> None:
    assert probed(grey(scan(FLAT), extra=segment(0xDB, body)))[0] == CORRUPT


def table(kind: int, counts: dict[int, int], symbols: int | None = None) -> bytes:
    """The body of a Huffman segment: as many codes of each length, symbols 0, 1, 2 …"""
    total = sum(counts.values()) if symbols is None else symbols
    return bytes([kind, *(counts.get(n, 0) for n in range(1, 17))]) + bytes(i % 256 for i in range(total))


@pytest.mark.parametrize(
    ("body", "fits"),
    [
        (table(0x00, {1: 1}), True),
        (table(0x00, {1: 2}), False),  # the second would be all ones
        (table(0x00, {1: 3}), False),
        (table(0x00, {2: 3}), True),
        (table(0x00, {2: 4}), False),
        (table(0x13, {9: 200, 16: 56}), True),
        (table(0x13, {9: 200, 16: 57}), False),  # 257 symbols
        (table(0x10, dict.fromkeys(range(1, 17), 1)), True),
        (table(0x10, {**dict.fromkeys(range(1, 16), 1), 16: 2}), False),
        (table(0x00, {}), True),
        (table(0x04, {1: 1}), False),
        (table(0x20, {1: 1}), False),
        (table(0x00, {2: 3}, 2), False),
        (table(0x00, {2: 3}, 4), False),
        (table(0x00, {})[:16], False),
        (table(0x01, {1: 1}) + table(0x11, {2: 2}), True),
        (table(0x01, {1: 1}) + table(0x11, {1: 2}), False),
    ],
)
def test_huffman_tables_are_read_if_they_are_codes(body: bytes, fits: bool) -> None:
    result = probed(grey(scan(FLAT), extra=segment(0xC4, body))[:None])[0]
    assert (result == 1) == fits
    assert fits or result == CORRUPT


def test_codes_of_every_length_are_decoded() -> None:
    # One code of each length: 0, 10, 110 … Symbols of the AC: end, then a value of one bit after a run of 0 … 14.
    symbols = bytes([0, *(run << 4 | 1 for run in range(15))])
    long = segment(0xC4, bytes([0x10, *[1] * 16]) + symbols)
    for run in range(15):
        bits = dc(0) + "1" * (run + 1) + "0" + "1" + "0"
        levels = read(grey(scan(bits), extra=long))[0]
        assert np.flatnonzero(levels).tolist() == [run + 1]
    with pytest.raises(CorruptStream):
        read(grey(scan(dc(0) + "1" * 16), extra=long))


def test_codes_that_stand_for_nothing_are_refused() -> None:
    with pytest.raises(CorruptStream):
        read(grey(scan(dc(0) + "110" + END)))
    short = segment(0xC4, table(0x00, {10: 1}))
    assert not read(grey(scan("0" * 10 + END), extra=short)).any()
    with pytest.raises(CorruptStream):
        read(grey(scan("0" * 9 + "1" + END), extra=short))


# --- Frames


THREE = ((1, 0x11, 0), (2, 0x11, 0), (3, 0x11, 0))


def header(*components: tuple[int, int, int], **more: int) -> tuple[int, list[int]]:
    listed = b"".join(bytes([each[0], 0]) for each in components)
    start = segment(0xDA, bytes([len(components)]) + listed + bytes([0, 63, 0]))
    return probed(SOI + TABLES + frame(*components, **more) + start)


@pytest.mark.parametrize(
    ("components", "more", "result"),
    [
        (THREE, {}, 3),
        (THREE[:1], {}, 1),
        (THREE[:1], {"process": 0xC1}, 1),
        (THREE[:1], {"process": 0xC2}, 1),
        (THREE[:1], {"process": 0xC3}, UNSUPPORTED),
        (THREE[:1], {"process": 0xC9}, UNSUPPORTED),
        (THREE[:1], {"process": 0xCF}, UNSUPPORTED),
        (THREE[:1], {"precision": 12}, UNSUPPORTED),
        (THREE[:1], {"precision": 7}, UNSUPPORTED),
        (THREE[:2], {}, UNSUPPORTED),
        ((*THREE, (4, 0x11, 0)), {}, UNSUPPORTED),
        ((), {}, CORRUPT),
        (THREE[:1], {"width": 0}, CORRUPT),
        (THREE[:1], {"height": 0}, UNSUPPORTED),
        (THREE[:1], {"width": 65_501}, UNSUPPORTED),
        (THREE[:1], {"height": 65_501}, UNSUPPORTED),
        (((1, 0x11, 3),), {}, 1),
        (((1, 0x11, 4),), {}, CORRUPT),
        (((1, 0x51, 0),), {}, 1),  # the sampling of one component means nothing
        (((1, 0x00, 0),), {}, 1),
        (((1, 0x44, 0), *THREE[1:]), {}, 18),
        (((1, 0x51, 0), *THREE[1:]), {}, CORRUPT),
        (((1, 0x15, 0), *THREE[1:]), {}, CORRUPT),
        (((1, 0x01, 0), *THREE[1:]), {}, CORRUPT),
        (((1, 0x10, 0), *THREE[1:]), {}, CORRUPT),
        (((1, 0x31, 0), (2, 0x21, 0), (3, 0x11, 0)), {}, UNSUPPORTED),
        (((1, 0x13, 0), (2, 0x12, 0), (3, 0x11, 0)), {}, UNSUPPORTED),
        (((1, 0x11, 0), (2, 0x11, 0), (1, 0x11, 0)), {}, CORRUPT),
        (((1, 0x11, 0), (1, 0x11, 0), (3, 0x11, 0)), {}, CORRUPT),
    ],
)
def test_a_frame_is_taken_within_the_rules(
    components: tuple[tuple[int, int, int], ...], more: dict[str, int], result: int
) -> None:
    assert header(*components, **more)[0] == result


@pytest.mark.parametrize(
    "body", [b"", bytes(5), bytes([8, 0, 8, 0, 8, 1, 1, 0x11]), bytes([8, 0, 8, 0, 8, 1, 1, 0x11, 0, 0])]
)
def test_a_frame_has_three_bytes_a_component(body: bytes) -> None:
    assert probed(SOI + TABLES + segment(0xC0, body) + scan(FLAT) + EOI)[0] == CORRUPT


def test_there_is_one_frame() -> None:
    assert probed(grey(scan(FLAT), extra=frame((1, 0x11, 0))))[0] == CORRUPT


def test_a_claim_needs_a_bit_for_every_block() -> None:
    def claiming(blocks: int) -> bytes:
        return SOI + TABLES + frame((1, 0x11, 0), width=8 * blocks) + scan(FLAT) + EOI

    most = 8 * len(claiming(1)) + 7
    assert probed(claiming(most))[0] == most
    assert probed(claiming(most + 1))[0] == TRUNCATED


def test_the_levels_asked_for_are_those_of_the_frame() -> None:
    info, levels, tables = ffi.new("int32_t[]", 16), ffi.new("int16_t[]", 128), ffi.new("uint16_t[]", 256)
    assert lib.rs_jpeg_read(GOOD, len(GOOD), levels, 1, tables, info) > 0
    assert lib.rs_jpeg_read(GOOD, len(GOOD), levels, 2, tables, info) == ARGUMENT


def test_a_header_of_another_file_is_refused() -> None:
    with pytest.raises(CorruptStream, match="does not belong to this header"):
        jpeg.read(grey(scan(FLAT), process=0xC1), jpeg.probe(GOOD))


# --- What three components mean


def three(ids: tuple[int, int, int], *extra: bytes) -> bool:
    components = [(each, 0x11, 0) for each in ids]
    start = segment(0xDA, bytes([3, ids[0], 0, ids[1], 0, ids[2], 0, 0, 63, 0]))
    return bool(probed(SOI + b"".join(extra) + TABLES + frame(*components) + start)[1][lib.RS_JPEG_YCC])


JFIF = segment(0xE0, b"JFIF\0")


def adobe(transform: int, size: int = 12) -> bytes:
    return segment(0xEE, (b"Adobe" + bytes(6) + bytes([transform]))[:size])


RGB_IDS = (ord("R"), ord("G"), ord("B"))


@pytest.mark.parametrize(
    ("ids", "extra", "ycc"),
    [
        ((1, 2, 3), [], True),
        (RGB_IDS, [], False),
        ((ord("R"), ord("G"), 3), [], True),
        ((ord("R"), 2, ord("B")), [], True),
        ((1, ord("G"), ord("B")), [], True),
        ((1, 2, 3), [adobe(0)], False),
        ((1, 2, 3), [adobe(1)], True),
        (RGB_IDS, [adobe(1)], True),
        (RGB_IDS, [JFIF], True),
        ((1, 2, 3), [JFIF, adobe(0)], True),
        ((1, 2, 3), [adobe(0, 11)], True),
        (RGB_IDS, [segment(0xE0, b"JFIF")], False),
        (RGB_IDS, [segment(0xE1, b"JFIF\0")], False),
        (RGB_IDS, [segment(0xE0, b"JFXX\0")], False),
        ((1, 2, 3), [segment(0xED, b"Adobe" + bytes(7))], True),
    ],
)
def test_jfif_then_adobe_then_the_ids_say_what_the_colours_are(
    ids: tuple[int, int, int], extra: list[bytes], ycc: bool
) -> None:
    assert three(ids, *extra) == ycc


def test_grey_is_no_luma_of_colours() -> None:
    assert probed(grey(scan(FLAT), extra=JFIF))[1][lib.RS_JPEG_YCC] == 0


# --- Scans


def start(*body: int) -> bytes:
    return segment(0xDA, bytes(body)) + scan(FLAT)[10:]


@pytest.mark.parametrize(
    ("header_", "result"),
    [
        (start(1, 1, 0, 0, 63, 0), 0),
        (start(0, 0, 63, 0), CORRUPT),
        (start(2, 1, 0, 1, 0, 0, 63, 0), CORRUPT),
        (start(1, 2, 0, 0, 63, 0), CORRUPT),
        (start(1, 1, 0, 0, 63), CORRUPT),
        (start(1, 1, 0, 0, 63, 0, 0), CORRUPT),
        (start(), CORRUPT),
        (start(1, 1, 0, 1, 63, 0), CORRUPT),
        (start(1, 1, 0, 0, 62, 0), CORRUPT),
        (start(1, 1, 0, 0, 63, 0x10), CORRUPT),
        (start(1, 1, 0, 0, 63, 0x01), CORRUPT),
        (start(1, 1, 0x10, 0, 63, 0), CORRUPT),  # no such DC table
        (start(1, 1, 0x01, 0, 63, 0), CORRUPT),  # no such AC table
    ],
)
def test_a_sequential_scan_has_everything_at_once(header_: bytes, result: int) -> None:
    data = grey()[:-2] + header_ + EOI
    assert min(read_code(data), 0) == result


def test_a_component_without_a_quantisation_table_is_refused() -> None:
    for number, result in ((0, True), (1, False), (3, False)):
        data = SOI + TABLES + frame((1, 0x11, number)) + scan(FLAT) + EOI
        assert (read_code(data) > 0) == result


def test_every_component_must_come() -> None:
    parts = [segment(0xDA, bytes([1, each, 0, 0, 63, 0])) + scan(FLAT)[10:] for each in (1, 2, 3)]
    head = SOI + TABLES + frame(*THREE)
    assert read_code(head + b"".join(parts) + EOI) > 0
    assert read_code(head + b"".join(parts[:2]) + EOI) == CORRUPT
    assert read_code(head + parts[2] + parts[0] + EOI) == CORRUPT


@pytest.mark.parametrize(("sampling", "fits"), [(0x42, True), (0x33, False), (0x24, True), (0x43, False)])
def test_an_interleaved_scan_has_ten_blocks_at_most(sampling: int, fits: bool) -> None:
    blocks = (sampling >> 4) * (sampling & 15) + 2
    components = ((1, sampling, 0), (2, 0x11, 0), (3, 0x11, 0))
    begin = segment(0xDA, bytes([3, 1, 0, 2, 0, 3, 0, 0, 63, 0]))
    data = SOI + TABLES + frame(*components) + begin + scan(FLAT * blocks)[10:] + EOI
    assert (read_code(data) > 0) == fits


def test_steps_are_those_when_the_component_was_first_met() -> None:
    first, second = scan(dc(0), band=(0, 0, 0)), scan(END, band=(1, 63, 0))
    data = grey(first, steps(9), second, process=0xC2)
    assert jpeg.read(data, jpeg.probe(data)).tables[0].tolist() == [1] * 64


FIRST_DC, FIRST_AC = scan(dc(0), band=(0, 0, 0)), scan(END, band=(1, 63, 0))


@pytest.mark.parametrize(
    ("scans", "result"),
    [
        ([FIRST_DC], 1),
        ([FIRST_DC, FIRST_AC], 2),
        ([FIRST_AC], 0),  # the AC before the DC
        ([FIRST_DC, FIRST_DC], 0),
        ([FIRST_DC, FIRST_AC, FIRST_AC], 0),
        ([FIRST_DC, scan(END, band=(1, 62, 0)), scan(END, band=(63, 63, 0))], 3),
        ([FIRST_DC, scan(END, band=(1, 5, 0)), scan(END, band=(5, 6, 0))], 0),
        ([FIRST_DC, scan(END, band=(1, 64, 0))], 0),
        ([FIRST_DC, scan(END, band=(6, 5, 0))], 0),
        ([scan(dc(0) + END, band=(0, 63, 0))], 0),
        ([scan(dc(0) + END, band=(0, 1, 0))], 0),
        ([scan(dc(0), band=(0, 0, 13))], 1),
        ([scan(dc(0), band=(0, 0, 14))], 0),
        ([scan(dc(0), band=(0, 0, 1)), scan("0", band=(0, 0, 0x10))], 2),
        ([scan(dc(0), band=(0, 0, 2)), scan("0", band=(0, 0, 0x21)), scan("0", band=(0, 0, 0x10))], 3),
        ([scan(dc(0), band=(0, 0, 2)), scan("0", band=(0, 0, 0x10))], 0),
        ([scan(dc(0), band=(0, 0, 1)), scan("0", band=(0, 0, 0x20))], 0),
        ([scan(dc(0), band=(0, 0, 1)), scan("0", band=(0, 0, 0x11))], 0),
        ([scan("0", band=(0, 0, 0x10))], 0),
        ([FIRST_DC, scan(END, band=(1, 63, 0x10))], 0),
    ],
)
def test_a_progressive_scan_brings_something_new_in_order(scans: list[bytes], result: int) -> None:
    data = grey(*scans, process=0xC2)
    if result:
        assert jpeg.read(data, jpeg.probe(data)).scans == result
    else:
        with pytest.raises(CorruptStream):
            read(data)


def test_an_ac_scan_has_one_component() -> None:
    begin = segment(0xDA, bytes([3, 1, 0, 2, 0, 3, 0, 0, 0, 0])) + scan(3 * dc(0))[10:]
    head = SOI + TABLES + frame(*THREE, process=0xC2) + begin
    for listed, result in (([1], True), ([1, 2], False), ([1, 2, 3], False)):
        body = bytes([len(listed)]) + b"".join(bytes([each, 0]) for each in listed) + bytes([1, 63, 0])
        data = head + segment(0xDA, body) + scan(END * len(listed))[10:] + EOI
        assert (read_code(data) > 0) == result


@pytest.mark.parametrize(("more", "fits"), [(0, True), (1, False)])
def test_more_than_128_scans_are_not_supported(more: int, fits: bool) -> None:
    # Each coefficient by itself, with one bit left; then that bit; the last coefficients with one bit more.
    scans = [scan(dc(0), band=(0, 0, 1)), scan("0", band=(0, 0, 0x10))]
    for k in range(1, 64):
        two = k > 63 - more
        scans.append(scan(END, band=(k, k, 2 if two else 1)))
        scans += [scan(END, band=(k, k, 0x21))] if two else []
        scans.append(scan(END, band=(k, k, 0x10)))
    assert len(scans) == 128 + more
    data = grey(*scans, process=0xC2)
    if fits:
        assert jpeg.read(data, jpeg.probe(data)).scans == 128
    else:
        with pytest.raises(Unsupported, match="more scans than are supported"):
            read(data)


# --- Entropy-coded data


@pytest.mark.parametrize(("size", "fits"), [(11, True), (12, False)])
def test_a_dc_difference_has_eleven_bits_at_most(size: int, fits: bool) -> None:
    wide = segment(0xC4, bytes([0x00, 1, *[0] * 15, size]))
    data = grey(scan("0" + "0" + "1" * (size - 1) + END), extra=wide)
    if fits:
        assert read(data)[0, 0] == -1024
    else:
        with pytest.raises(CorruptStream):
            read(data)


@pytest.mark.parametrize(("size", "fits"), [(10, True), (11, False)])
def test_a_sequential_level_has_ten_bits_at_most(size: int, fits: bool) -> None:
    wide = segment(0xC4, bytes([0x10, 0, 2, *[0] * 14, 0, size]))
    data = grey(scan(dc(0) + "01" + "1" * size + "00"), extra=wide)
    if fits:
        assert read(data)[0, 1] == 1023
    else:
        with pytest.raises(CorruptStream):
            read(data)


@pytest.mark.parametrize(
    ("size", "low", "fits"), [(10, 4, True), (10, 5, False), (14, 0, True), (15, 0, False), (1, 13, True)]
)
def test_a_progressive_level_has_fourteen_bits_at_most(size: int, low: int, fits: bool) -> None:
    wide = segment(0xC4, bytes([0x10, 0, 2, *[0] * 14, 0, size]))
    data = grey(FIRST_DC, wide, scan("01" + "1" * size + "00", band=(1, 63, low)), process=0xC2)
    if fits:
        assert read(data)[0, 1] == (2**size - 1) << low
    else:
        with pytest.raises(CorruptStream):
            read(data)


@pytest.mark.parametrize(
    ("blocks", "run", "fits"), [(1, "", True), (2, "0", True), (3, "1", True), (2, "1", False), (1, "0", False)]
)
def test_a_run_of_empty_blocks_ends_with_the_scan(blocks: int, run: str, fits: bool) -> None:
    end = ac(0x10, run) if run else ac(0x00)
    data = grey(scan(dc(0) * blocks, band=(0, 0, 0)), scan(end, band=(1, 63, 0)), process=0xC2, width=8 * blocks)
    if fits:
        assert not read(data).any()
    else:
        with pytest.raises(CorruptStream):
            read(data)


def test_a_first_scan_may_fill_its_band_and_not_pass_it() -> None:
    at = grey(FIRST_DC, scan(ac(0x11, "1") + END, band=(1, 5, 0)), process=0xC2)
    assert read(at)[0, :6].tolist() == [0, 0, 1, 0, 0, 0]
    full = grey(FIRST_DC, scan(ac(0x11, "1") + ac(0x11, "0"), band=(1, 4, 0)), process=0xC2)
    assert read(full)[0, :6].tolist() == [0, 0, 1, 0, -1, 0]
    with pytest.raises(CorruptStream):
        read(grey(FIRST_DC, scan(ac(0x11, "1") + ac(0x11, "1"), band=(1, 3, 0)), process=0xC2))


def test_a_refinement_of_the_dc_sets_its_bit() -> None:
    data = grey(
        scan(dc(1, "1") + dc(0) + dc(0), band=(0, 0, 1)), scan("101", band=(0, 0, 0x10)), process=0xC2, width=24
    )
    assert read(data)[:, 0].tolist() == [3, 2, 3]


def test_known_levels_grow_away_from_zero() -> None:
    first = scan(ac(0x01, "1") + ac(0x01, "0") + ac(0x01, "1") + END, band=(1, 5, 1))
    data = grey(FIRST_DC, first, scan(END + "110", band=(1, 5, 0x10)), process=0xC2)
    assert read(data)[0, :6].tolist() == [0, 3, -3, 2, 0, 0]
    with pytest.raises(CorruptStream):  # a new level has one bit
        read(grey(FIRST_DC, first, codes((0, 2), 0x10), scan("001" + "1", band=(1, 5, 0x10)), process=0xC2))


def test_sixteen_zeros_of_a_refinement_pass_over_known_levels() -> None:
    first = scan(ac(0x01, "1") + END, band=(1, 63, 1))
    # Sixteen zeros with the correction of the known one on the way, then one more zero and a new level.
    data = grey(FIRST_DC, first, scan(ac(0xF0) + "1" + ac(0x11, "0") + END, band=(1, 63, 0x10)), process=0xC2)
    levels = read(data)[0]
    assert np.flatnonzero(levels).tolist() == [1, 19]
    assert levels[[1, 19]].tolist() == [3, -1]


@pytest.mark.parametrize(("width", "numbers"), [(16, [0]), (24, [0, 1]), (80, [0, 1, 2, 3, 4, 5, 6, 7, 0])])
def test_restarts_count_to_seven_and_begin_again(width: int, numbers: list[int]) -> None:
    one = scan(dc(1, "1") + END)[10:]
    data = scan(dc(1, "1") + END) + b"".join(b"\xff" + bytes([0xD0 + number]) + one for number in numbers)
    assert read(grey(data, width=width, extra=segment(0xDD, b"\0\1")))[:, 0].tolist() == [1] * (width // 8)


def test_a_restart_may_have_fill_bytes_before_it() -> None:
    data = scan(FLAT) + b"\xff\xff\xff\xd0" + scan(FLAT)[10:]
    assert not read(grey(data, width=16, extra=segment(0xDD, b"\0\1"))).any()


def test_a_restart_within_a_run_of_empty_blocks_is_refused() -> None:
    both = scan(dc(0), band=(0, 0, 0)) + b"\xff\xd0" + scan(dc(0))[10:]
    run = scan(ac(0x10, "0"), band=(1, 63, 0)) + b"\xff\xd0" + scan(END)[10:]
    data = grey(both, run, process=0xC2, width=16, extra=segment(0xDD, b"\0\1"))
    with pytest.raises(CorruptStream):
        read(data)


@pytest.mark.parametrize(
    ("tail", "result"),
    [
        (b"", 0),
        (b"\x00", CORRUPT),
        (b"\xff\x00", CORRUPT),
        (b"\xff", 0),  # a fill byte
    ],
)
def test_a_scan_uses_all_of_its_data(tail: bytes, result: int) -> None:
    assert min(read_code(grey(scan(FLAT) + tail)), 0) == result


def test_a_scan_that_is_cut_off_ends_too_early() -> None:
    whole = grey(scan(3 * FLAT), width=24)
    for cut in (whole[:-2], whole[:-3], whole[:-4]):
        assert read_code(cut) == TRUNCATED
    assert read_code(whole[:-4] + EOI) == CORRUPT


def test_a_stuffed_byte_is_one_byte_of_data() -> None:
    # A code of one bit for differences of eleven: the second block's eleven ones begin with the third byte.
    wide = segment(0xC4, bytes([0x00, 1, *[0] * 15, 11]))
    data = grey(scan("0" + "0" * 11 + END + "0" + "1" * 11 + END), extra=wide, width=16)
    assert b"\xff\x00" in data
    assert read(data)[:, 0].tolist() == [-2047, 0]


def test_a_dc_below_twelve_bits_is_refused() -> None:
    least = grey(scan(dc(11, "0" * 11) + END + dc(1, "0") + END), width=16)
    assert read(least)[:, 0].tolist() == [-2047, -2048]
    with pytest.raises(CorruptStream):
        read(grey(scan(dc(11, "0" * 11) + END + 2 * (dc(1, "0") + END)), width=24))
