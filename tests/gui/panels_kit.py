"""Lanes, metrics and codecs that the tests of the panels share."""

from __future__ import annotations

from engine.codec import CodecInfo, Kind, Param, Role
from engine.metric import Domain, MetricInfo
from engine.palette import look
from gui.models.lane import LaneTag

PSNR = MetricInfo("psnr", "PSNR", "dB", True, Domain.CODE_VALUES, "1", "", digits=2)
FLIP = MetricInfo("flip", "FLIP", "", False, Domain.PERCEPTUAL, "1", "", digits=4)
JPEG = CodecInfo(
    "jpeg",
    "JPEG",
    "dct",
    ".jpg",
    (
        Param("quality", Kind.INT, 75, 1, 100, role=Role.RATE, better=1),
        Param("chroma", Kind.CHOICE, "4:2:0", choices=("4:2:0", "4:4:4"), help="Chroma subsampling"),
        Param("progressive", Kind.BOOL, True),
    ),
)
AVIF = CodecInfo(
    "avif",
    "AVIF",
    "predictive",
    ".avif",
    (
        Param("quality", Kind.INT, 60, 0, 100, role=Role.RATE, better=1),
        Param("speed", Kind.INT, 8, 0, 10, role=Role.EFFORT),
        Param("step", Kind.FLOAT, 1.0, 0.01, 100.0, log=True),
        Param("seed", Kind.INT, 7),
    ),
)
A, B, C = (
    LaneTag(key, name, look(place))
    for place, (key, name) in enumerate(zip("abc", ("JPEG", "AVIF", "WebP"), strict=True))
)
LANES = [A, B, C]
