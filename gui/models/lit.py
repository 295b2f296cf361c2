"""What of the lit preview a person chose, without Qt."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from engine.lit.look import Lit


@dataclass(frozen=True)
class LitView:
    """look: filter, mipmaps, density, albedo. errors: show where it is wrong. picture: the file that is the albedo
    where `look.albedo` is "image". meshes: by source, the files that were opened for them.
    """

    look: Lit = Lit()  # noqa: RUF009  (frozen)
    errors: bool = False
    picture: Path | None = None
    meshes: tuple[tuple[int, Path], ...] = ()

    def mesh_of(self, source_id: int) -> Path | None:
        """The mesh that was opened for a source."""
        return dict(self.meshes).get(source_id)

    def with_mesh(self, source_id: int, path: Path) -> tuple[tuple[int, Path], ...]:
        """`meshes` with another one for a source."""
        return tuple({**dict(self.meshes), source_id: path}.items())
