"""What code values mean: primaries and transfer, as the code points of ITU-T H.273."""

from __future__ import annotations

from dataclasses import dataclass

# H.273 tables 2 and 3, those we meet.
PRIMARIES = {1: "BT.709", 9: "BT.2020", 12: "Display P3"}
TRANSFERS = {8: "linear", 13: "sRGB"}


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
