"""How a lightmap is looked at: filter, mipmaps, density of texels, and the albedo of what it lights."""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import UsageError

FILTERS = ("bilinear", "bicubic")
DENSITIES = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)  # pixels a texel
ALBEDOS = ("white", "grey", "checker", "mesh", "image")
DEEPEST = 15  # the last level that may be asked for
_MOST_PIXELS = 1 << 24  # of a flat view that is magnified


@dataclass(frozen=True)
class Lit:
    """filter: of `FILTERS`. mips: "off" (level 0 alone), "auto" (by distance, two levels mixed) or a level, "0" … "15".

    bicubic takes level 0, whatever `mips` says. density: pixels a texel where the map is shown flat. albedo: of
    `ALBEDOS`; "mesh" is white where there is no mesh.
    """

    filter: str = "bilinear"
    mips: str = "auto"
    density: float = 1.0
    albedo: str = "mesh"

    def __post_init__(self) -> None:
        if self.filter not in FILTERS:
            raise UsageError(f"unknown filter '{self.filter}'; known are {', '.join(FILTERS)}")
        if self.mips not in MIPS:
            raise UsageError(f"mipmaps are off, auto or a level from 0 to {DEEPEST}, not '{self.mips}'")
        if self.density not in DENSITIES:
            raise UsageError(f"pixels a texel are one of {', '.join(f'{each:g}' for each in DENSITIES)}")
        if self.albedo not in ALBEDOS:
            raise UsageError(f"unknown albedo '{self.albedo}'; known are {', '.join(ALBEDOS)}")

    @property
    def cubic(self) -> bool:
        return self.filter == "bicubic"

    @property
    def level(self) -> float | None:
        """The one level that is asked for; None: by distance."""
        if self.cubic or self.mips == "off":
            return 0.0
        return None if self.mips == "auto" else float(self.mips)

    def drawn_size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height of a flat view of a map, at the density or the next smaller one that is not too many."""
        density = self.density
        while density > 1 and width * height * density**2 > _MOST_PIXELS:
            density /= 2
        return max(1, round(width * density)), max(1, round(height * density))


MIPS = ("off", "auto", *map(str, range(DEEPEST + 1)))
