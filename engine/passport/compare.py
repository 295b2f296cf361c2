"""Two decodes of one file: are they the same, and if not, by how much do they differ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.channels import unstacked
from engine.image import Image
from engine.passport import CLOSE_LEVELS, CLOSE_STOPS, LEVEL, STOP, Passport, Verdict, surroundings
from engine.passport.fresh import Fresh
from engine.stops import stops_of

_ROWS = 256  # compared at a time: memory stays bounded


@dataclass(frozen=True)
class Claim:
    """What the process that a picture came from says of its file.

    image: what it decoded. symbols: the digest of what it coded, None where it recorded none. threads: it had, 0 where
    that is not known.
    """

    image: Image
    symbols: str | None = None
    threads: int = 0


@dataclass(frozen=True)
class Record:
    """What was noted of a file elsewhere: digests of its pixels, as `info` prints it, and of its symbols, if any."""

    pixels: str
    symbols: str | None = None


@dataclass(frozen=True)
class Difference:
    """The largest difference, infinite where only one of two floats is a number; and how many samples differ."""

    largest: float
    samples: int


def judge(claim: Claim, fresh: Fresh, within: float | None = None) -> Passport:
    """The passport of a file by what a fresh process made of it.

    within: the largest difference that counts as close; by default one code value, or 1/512 stop.
    """
    unit = STOP if claim.image.is_float else LEVEL
    bound = within if within is not None else (CLOSE_STOPS if unit == STOP else CLOSE_LEVELS)
    blank = Passport(
        Verdict.EXACT,
        unit=unit,
        samples=claim.image.pixels.size,
        threads=(claim.threads, fresh.threads),
        decode_s=fresh.seconds,
        made_with=surroundings(),
    )
    if fresh.image is None:
        return blank.broken(fresh.error)
    if claim.symbols and fresh.symbols != claim.symbols:
        return blank.broken(_other_symbols(fresh, claim.symbols))
    image = unstacked(fresh.image, claim.image) if claim.image.data is not None else fresh.image
    if (other := _kind(image)) != _kind(claim.image):
        return blank.broken(f"it decodes to {other}, not to {_kind(claim.image)}")
    found = difference(claim.image.pixels, image.pixels)
    passport = Passport(
        Verdict.CLOSE if found.samples else Verdict.EXACT,
        difference=found.largest,
        unit=unit,
        differing=found.samples,
        samples=blank.samples,
        symbols=claim.symbols,
        threads=blank.threads,
        decode_s=blank.decode_s,
        made_with=blank.made_with,
    )
    if found.largest > bound:
        share = f"{found.samples:,} of {passport.samples:,} samples"
        return passport.broken(f"its pixels differ by up to {found.largest:.4g} {unit}s, in {share}")
    return passport


def judge_record(record: Record, fresh: Fresh) -> Passport:
    """The passport of a file by what was noted of it elsewhere. Digests tell whether pixels differ, not by how much."""
    passport = Passport(
        Verdict.EXACT,
        samples=fresh.image.pixels.size if fresh.image is not None else 0,
        symbols=record.symbols,
        threads=(0, fresh.threads),
        decode_s=fresh.seconds,
        made_with=surroundings(),
    )
    if fresh.image is None:
        return passport.broken(fresh.error)
    if record.symbols and fresh.symbols != record.symbols:
        return passport.broken(_other_symbols(fresh, record.symbols))
    if fresh.image.digest != record.pixels:
        why = "its pixels are others than those that were noted; beside a decoded picture one would see by how much"
        return passport.broken(why)
    return passport


def difference(one: np.ndarray, other: np.ndarray) -> Difference:
    """Between two H×W×C arrays of one kind: in code values, or in stops of light where they are floats."""
    largest, samples = 0.0, 0
    for start in range(0, len(one), _ROWS):
        a, b = one[start : start + _ROWS], other[start : start + _ROWS]
        if a.dtype.kind == "f":
            unlike = ~((a == b) | (np.isnan(a) & np.isnan(b)))
            a, b = a[unlike], b[unlike]
            apart = np.abs(stops_of(a) - stops_of(b)) if np.isfinite(a).all() and np.isfinite(b).all() else np.inf
            largest = max(largest, float(np.max(apart, initial=0.0)))
        else:
            unlike = a != b
            largest = max(largest, float(np.abs(a.astype(np.int32) - b).max()))
        samples += int(unlike.sum())
    return Difference(largest, samples)


def _other_symbols(fresh: Fresh, coded: str) -> str:
    return f"it decodes to other symbols ({fresh.symbols or 'of no digest'}) than were coded ({coded})"


def _kind(image: Image) -> str:
    """What a picture is but for its samples: "64×48, 3 channels of 8 bits, sRGB"."""
    alpha = f", {image.alpha} alpha" if image.has_alpha else ""
    return f"{image.width}×{image.height}, {image.channels} channels of {image.bits} bits, {image.color}{alpha}"
