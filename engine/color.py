"""What code values mean: primaries and transfer as code points of ITU-T H.273, and the ICC profiles that say the same.

Arithmetic here is on floats: linear light has 1.0 at diffuse white, code values run from 0 to 1.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from engine.errors import Unsupported

# H.273 tables 2 and 3, those we meet.
PRIMARIES = {1: "BT.709", 9: "BT.2020", 12: "Display P3"}
TRANSFERS = {8: "linear", 13: "sRGB"}

# x, y of red, green and blue; the white of all three is D65.
_CHROMATICITIES = {
    1: ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060)),
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    12: ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
}
_D65 = (0.3127, 0.3290)
_CHROMATICITY_TOLERANCE = 0.002  # files round to three digits or fewer
_D50_XYZ = np.array([0.9642, 1.0, 0.8249])  # the connection space of ICC.1:2022
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


@dataclass(frozen=True)
class ColorSpec:
    """Primaries and transfer characteristics, both H.273 code points."""

    primaries: int = 1
    transfer: int = 13

    @property
    def code_points(self) -> tuple[int, int]:
        return (self.primaries, self.transfer)

    @property
    def is_linear(self) -> bool:
        return self.transfer == 8

    def __str__(self) -> str:
        if self == SRGB:
            return "sRGB"
        if self == DISPLAY_P3:
            return "Display P3"
        primaries = PRIMARIES.get(self.primaries, f"primaries {self.primaries}")
        return f"{primaries}, {TRANSFERS.get(self.transfer, f'transfer {self.transfer}')}"


SRGB = ColorSpec(1, 13)
DISPLAY_P3 = ColorSpec(12, 13)
LINEAR_SRGB = ColorSpec(1, 8)


# --- Transfer and primaries ---------------------------------------------------------------------


def to_linear(values: np.ndarray, spec: ColorSpec) -> np.ndarray:
    """Linear light of code values 0…1 (IEC 61966-2-1 for sRGB, mirrored below 0); the float type is kept."""
    _require_known(spec)
    if spec.is_linear:
        return values
    size = np.abs(values)
    curve = np.where(size <= 0.04045, size / 12.92, ((size + 0.055) / 1.055) ** 2.4)
    return np.copysign(curve, values).astype(values.dtype, copy=False)


def from_linear(values: np.ndarray, spec: ColorSpec) -> np.ndarray:
    """Code values of linear light; the inverse of :func:`to_linear`."""
    _require_known(spec)
    if spec.is_linear:
        return values
    size = np.abs(values)
    curve = np.where(size <= 0.0031308, size * 12.92, 1.055 * size ** (1 / 2.4) - 0.055)
    return np.copysign(curve, values).astype(values.dtype, copy=False)


def rgb_to_xyz(primaries: int) -> np.ndarray:
    """3×3 matrix from linear RGB to CIE XYZ with white at Y = 1 (SMPTE RP 177)."""
    if primaries not in _CHROMATICITIES:
        raise Unsupported(f"colour primaries {primaries} of H.273 are not known here")
    columns = np.array([_xyz(x, y) for x, y in _CHROMATICITIES[primaries]]).T
    return columns * np.linalg.solve(columns, _xyz(*_D65))


def rgb_matrix(source: ColorSpec, target: ColorSpec) -> np.ndarray:
    """3×3 matrix that takes linear RGB of `source` to linear RGB of `target`."""
    return np.linalg.solve(rgb_to_xyz(target.primaries), rgb_to_xyz(source.primaries))


def chromaticities(primaries: int) -> tuple[float, ...]:
    """x, y of red, green, blue and white of primaries that we know."""
    return tuple(number for point in (*_CHROMATICITIES[primaries], _D65) for number in point)


def recognise_chromaticities(xy: Sequence[float]) -> ColorSpec | np.ndarray | None:
    """Linear light whose red, green, blue and white lie at `xy` (8 numbers): its spec, where H.273 names it.

    Otherwise the 3×3 matrix that takes it to linear BT.709, its white adapted to D65 (Bradford); None for primaries
    that span no colours.
    """
    points = np.array(xy, np.float64).reshape(4, 2)
    for primaries, known in _CHROMATICITIES.items():
        if np.abs(points - [*known, _D65]).max() < _CHROMATICITY_TOLERANCE:
            return ColorSpec(primaries, LINEAR_SRGB.transfer)
    if not np.isfinite(points).all() or (points[:, 1] <= 0).any():
        return None
    columns = np.array([_xyz(x, y) for x, y in points[:3]]).T
    if abs(np.linalg.det(columns)) < 1e-6:
        return None
    white = _xyz(*points[3])
    to_xyz = columns * np.linalg.solve(columns, white)
    return np.linalg.solve(rgb_to_xyz(LINEAR_SRGB.primaries), _bradford(white, _xyz(*_D65)) @ to_xyz)


def convert(values: np.ndarray, source: ColorSpec, target: ColorSpec) -> np.ndarray:
    """Code values (or linear light) H×W×(1 or 3) of `source` as those of `target`, not clipped to its gamut."""
    if source == target:
        return values
    linear = to_linear(values, source)
    if source.primaries != target.primaries and values.shape[-1] == 3:
        linear = linear @ rgb_matrix(source, target).T.astype(linear.dtype)
    return from_linear(linear, target)


def _xyz(x: float, y: float) -> np.ndarray:
    return np.array([x / y, 1.0, (1 - x - y) / y])


def _require_known(spec: ColorSpec) -> None:
    if spec.transfer not in TRANSFERS:
        raise Unsupported(f"transfer characteristics {spec.transfer} of H.273 are not known here")


# --- ICC profiles -------------------------------------------------------------------------------

# Encoded values may differ by this much from sRGB's curve before a profile is something else.
_CURVE_TOLERANCE = 1.5 / 255
# Published sRGB and P3 profiles differ by up to 0.002 in their colorants, the nearest other space by 0.05.
_COLORANT_TOLERANCE = 0.004
_PARA_COUNTS = (1, 3, 4, 5, 7)


@cache
def profile_bytes(spec: ColorSpec) -> bytes:
    """A compact ICC v4.4 display profile (matrix and curve, with a `cicp` tag) for `spec`, about 600 bytes.

    Source: ICC.1:2022. The same `spec` gives the same bytes, always.
    """
    _require_known(spec)
    colorants = _adaptation() @ rgb_to_xyz(spec.primaries)
    srgb = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
    curve = _para(3, srgb) if spec.transfer == 13 else _para(0, (1.0,))
    tags = {
        b"desc": _text(str(spec)),
        b"cprt": _text("No copyright, use freely"),
        b"wtpt": _tag_xyz(_D50_XYZ),
        b"chad": b"sf32\0\0\0\0" + b"".join(_fixed(v) for v in _adaptation().flat),
        b"cicp": b"cicp\0\0\0\0" + bytes([spec.primaries, spec.transfer, 0, 1]),
        b"rXYZ": _tag_xyz(colorants[:, 0]),
        b"gXYZ": _tag_xyz(colorants[:, 1]),
        b"bXYZ": _tag_xyz(colorants[:, 2]),
        b"rTRC": curve,
        b"gTRC": curve,
        b"bTRC": curve,
    }
    return _assemble(tags)


def recognise(icc: bytes) -> ColorSpec | None:
    """The spec that an ICC profile amounts to (sRGB or Display P3), or None for any other or a damaged one."""
    try:
        tags = _tags(icc)
        if icc[16:20] == b"GRAY":
            return SRGB if _is_srgb_curve(tags[b"kTRC"]) else None
        if icc[16:20] != b"RGB " or b"A2B0" in tags:
            return None
        if b"cicp" in tags:
            spec = ColorSpec(tags[b"cicp"][8], tags[b"cicp"][9])
            return spec if spec in (SRGB, DISPLAY_P3) else None
        if not all(_is_srgb_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC")):
            return None
        colorants = np.stack([_read_xyz(tags[name]) for name in (b"rXYZ", b"gXYZ", b"bXYZ")], axis=1)
    except (KeyError, IndexError, struct.error, ValueError):
        return None
    for spec in (SRGB, DISPLAY_P3):
        if np.abs(colorants - _adaptation() @ rgb_to_xyz(spec.primaries)).max() < _COLORANT_TOLERANCE:
            return spec
    return None


def describe(icc: bytes) -> str:
    """The name that an ICC profile gives itself, or "unnamed profile"."""
    try:
        tag = _tags(icc)[b"desc"]
        if tag[:4] == b"mluc":
            length, offset = struct.unpack_from(">II", tag, 20)
            text = tag[offset : offset + length].decode("utf-16-be", "replace")
        else:
            (length,) = struct.unpack_from(">I", tag, 8)
            text = tag[12 : 12 + length].decode("latin-1")
    except (KeyError, IndexError, struct.error, ValueError):
        return "unnamed profile"
    return "".join(c for c in text if c.isprintable()).strip()[:80] or "unnamed profile"


def _adaptation() -> np.ndarray:
    """3×3 Bradford matrix from D65 to the D50 of the profile connection space."""
    return _bradford(_xyz(*_D65), _D50_XYZ)


def _bradford(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """3×3 matrix on XYZ that takes one white to another."""
    ratio = (_BRADFORD @ target) / (_BRADFORD @ source)
    return np.linalg.solve(_BRADFORD, ratio[:, None] * _BRADFORD)


def _fixed(value: float) -> bytes:
    return struct.pack(">i", round(float(value) * 65536))


def _tag_xyz(xyz: np.ndarray) -> bytes:
    return b"XYZ \0\0\0\0" + b"".join(_fixed(v) for v in xyz)


def _para(kind: int, parameters: tuple[float, ...]) -> bytes:
    return b"para\0\0\0\0" + struct.pack(">HH", kind, 0) + b"".join(_fixed(v) for v in parameters)


def _text(text: str) -> bytes:
    encoded = text.encode("utf-16-be")
    return b"mluc\0\0\0\0" + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(encoded), 28) + encoded


def _assemble(tags: dict[bytes, bytes]) -> bytes:
    table, body = b"", b""
    start = 128 + 4 + 12 * len(tags)
    places: dict[bytes, int] = {}  # equal tags (the three curves) share their bytes
    for name, tag in tags.items():
        if tag not in places:
            places[tag] = start + len(body)
            body += tag + bytes(-len(tag) % 4)
        table += struct.pack(">4sII", name, places[tag], len(tag))
    header = struct.pack(
        ">I4sI4s4s4s6H4s4sIIIQI3i4s44x",
        start + len(body), b"\0\0\0\0", 0x04400000, b"mntr", b"RGB ", b"XYZ ", 2026, 1, 1, 0, 0, 0,
        b"acsp", b"\0\0\0\0", 0, 0, 0, 0, 0, *(round(v * 65536) for v in _D50_XYZ), b"\0\0\0\0",
    )  # fmt: skip
    return header + struct.pack(">I", len(tags)) + table + body


def _tags(icc: bytes) -> dict[bytes, bytes]:
    if len(icc) < 132 or icc[36:40] != b"acsp":
        raise ValueError("not an ICC profile")
    (count,) = struct.unpack_from(">I", icc, 128)
    if count > 256:
        raise ValueError("too many tags")
    entries = (struct.unpack_from(">4sII", icc, 132 + 12 * i) for i in range(count))
    return {name: icc[offset : offset + size] for name, offset, size in entries}


def _read_xyz(tag: bytes) -> np.ndarray:
    return np.array(struct.unpack_from(">3i", tag, 8)) / 65536


def _is_srgb_curve(tag: bytes) -> bool:
    codes = np.linspace(0, 1, 65)
    return bool(np.abs(from_linear(_curve(tag, codes), SRGB) - codes).max() < _CURVE_TOLERANCE)


def _curve(tag: bytes, codes: np.ndarray) -> np.ndarray:
    """Linear light of `codes` by a `curv` or `para` tag (ICC.1:2022, 10.6 and 10.18)."""
    if tag[:4] == b"curv":
        (count,) = struct.unpack_from(">I", tag, 8)
        if count == 0:
            return codes
        table = np.frombuffer(tag, ">u2", count, 12)
        return codes ** (table[0] / 256) if count == 1 else np.interp(codes, np.linspace(0, 1, count), table / 65535)
    if tag[:4] != b"para":
        raise ValueError("not a curve")
    (kind,) = struct.unpack_from(">H", tag, 8)
    g, a, b, c, d, e, f = (*(np.array(struct.unpack_from(f">{_PARA_COUNTS[kind]}i", tag, 12)) / 65536), *[0.0] * 6)[:7]
    if kind == 0:
        return codes**g
    if kind in (1, 2):  # a power above -b/a, a constant (c, or 0 for kind 1) below
        return np.where(codes >= -b / a, np.maximum(a * codes + b, 0) ** g, 0) + (c if kind == 2 else 0)
    return np.where(codes >= d, np.maximum(a * codes + b, 0) ** g + e, c * codes + f)
