"""The parts of a JPEG file that are not pixels: ICC profiles in APP2 segments (ICC.1:2022, annex B.4)."""

from __future__ import annotations

from collections.abc import Iterator

from engine.errors import Unsupported

_ICC = b"ICC_PROFILE\0"
_CHUNK = 65_533 - len(_ICC) - 2
_APP2, _SOS, _EOI = 0xE2, 0xDA, 0xD9


def icc_segments(profile: bytes) -> bytes:
    """`profile` as APP2 marker segments."""
    chunks = [profile[at : at + _CHUNK] for at in range(0, len(profile), _CHUNK)]
    if len(chunks) > 255:
        raise Unsupported("the colour profile is too large for a JPEG file (16 MB)")
    bodies = (_ICC + bytes([i + 1, len(chunks)]) + chunk for i, chunk in enumerate(chunks))
    return b"".join(b"\xff\xe2" + (len(body) + 2).to_bytes(2, "big") + body for body in bodies)


def icc_profile(data: bytes) -> bytes | None:
    """The profile in a JPEG file, None where there is none or its pieces do not make a whole."""
    pieces = [body[len(_ICC) :] for marker, body in _segments(data) if marker == _APP2 and body.startswith(_ICC)]
    chunks = {piece[0]: piece[2:] for piece in pieces if len(piece) > 2 and piece[1] == len(pieces)}
    if not pieces or sorted(chunks) != list(range(1, len(pieces) + 1)):
        return None
    return b"".join(chunks[i] for i in sorted(chunks))


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Marker and payload of each segment before the first scan."""
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker, size = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xFF:
            at += 1
            continue
        if marker in (_SOS, _EOI):
            return
        yield marker, data[at + 4 : at + 2 + size]
        at += 2 + size
