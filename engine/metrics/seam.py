"""Seams: errors where charts end, as a renderer sees them that filters bilinearly.

A surface that is cut into charts is shown right up to a chart's border. There the bilinear filter mixes the outermost
texel with the one beyond it in the gutter, half and half, and on the other chart, which meets this one along the same
edge of the mesh, with other neighbours and other errors of its own: what is wrong at a border shows as a line. Which
borders belong together is not known without the mesh, so every border is held against the original by itself.

Of a texel that counts and has at least one direct neighbour that does not: the larger of

- its own error, and
- the error of the light half-way to that neighbour (mean of the two texels' light). An original with empty gutters
  shows dark seams itself; no picture is blamed for these, nor for having none: anything between the original's texel
  and the original's mean is right, and the error is how far beyond it lies.

Errors are differences of log2(light + 2⁻¹⁰), the RMS over the channels. The score is the RMS over all these texels,
in stops. So what a codec puts into a gutter counts as far as it is seen, and only so far. This is our own definition.
"""

from __future__ import annotations

import numpy as np

from engine.codec import Ctx
from engine.image import Image, Meaning
from engine.metric import Domain, MetricInfo
from engine.metrics.align import counted
from engine.metrics.coded_psnr import stops


class Seam:
    """RMS of the errors at the borders of charts; the map is the error of each texel there, 0 elsewhere."""

    info = MetricInfo(
        id="seam",
        label="Seam",
        unit="stops",
        higher_is_better=False,
        domain=Domain.LINEAR_LIGHT,
        version="1",
        library=f"numpy {np.__version__}",
        has_map=True,
        map_label="Error at borders of charts",
        map_unit="stops",
        digits=4,
        of=(Meaning.LIGHT,),
        charts=True,
        memory=24.0,
        about="RMS error in stops of the light that a bilinear filter shows at the borders of charts, with gutters.",
    )

    def score(self, ref: Image, img: Image, ctx: Ctx) -> float:
        squares, border = self._squares(ref, img, ctx)
        return float(np.sqrt(np.mean(squares[border], dtype=np.float64))) if border.any() else 0.0

    def map(self, ref: Image, img: Image, ctx: Ctx) -> np.ndarray:
        return np.sqrt(self._squares(ref, img, ctx)[0])

    def _squares(self, ref: Image, img: Image, ctx: Ctx) -> tuple[np.ndarray, np.ndarray]:
        """Squared errors (H×W f32, 0 away from borders), and where the borders are (H×W bool)."""
        counts = counted(ref, slice(None))
        squares, border = np.zeros(counts.shape, np.float32), np.zeros(counts.shape, bool)
        for inside, outside in _NEIGHBOURS:
            ctx.check()
            at = counts[inside] & ~counts[outside]
            was, now = ref.pixels[inside][at], img.pixels[inside][at]
            errors = np.abs(stops(now) - stops(was))
            right, edge = stops(was), stops((was + ref.pixels[outside][at]) / 2)
            shown = stops((now + img.pixels[outside][at]) / 2)
            low, high = np.minimum(right, edge), np.maximum(right, edge)
            beyond = np.maximum(low - shown, shown - high).clip(0, None)
            found = np.mean(np.square(np.maximum(errors, beyond)), axis=1)
            squares[inside][at] = np.maximum(squares[inside][at], found)
            border[inside] |= at
        return squares, border


_ALL, _FIRST, _LAST = slice(None), slice(None, -1), slice(1, None)
_NEIGHBOURS = (
    ((_ALL, _FIRST), (_ALL, _LAST)),
    ((_ALL, _LAST), (_ALL, _FIRST)),
    ((_FIRST, _ALL), (_LAST, _ALL)),
    ((_LAST, _ALL), (_FIRST, _ALL)),
)

SEAM = Seam()
