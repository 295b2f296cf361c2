"""The one EXIF field that changes what a picture looks like."""

from __future__ import annotations

import warnings


def orientation(exif: bytes) -> int:
    """EXIF's orientation, 1 (upright) … 8, from a TIFF-shaped block; 1 when absent or damaged."""
    from PIL import Image

    fields = Image.Exif()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fields.load(exif)
        value = fields.get(0x0112, 1)
    except Exception:  # a damaged EXIF block is no reason to refuse the picture
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1
