"""Pictures and files from the clipboard, and the picture of a pane onto it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from PySide6.QtCore import QMimeData, QUrl
from PySide6.QtGui import QColorSpace, QGuiApplication, QImage

from engine import memory
from engine.display import Shown, to_display
from engine.files import write_error
from engine.film import Film
from engine.image import Alpha, Image
from engine.io import write_png
from engine.tone import NEUTRAL, Tone
from gui.frame import Frame
from gui.places import data_folder
from gui.state import ORIGINAL

MOST_LINES = 200  # of text that may name files


def paste(window: Frame, take: Callable[[list[Path]], None]) -> None:
    """Open what the clipboard holds: files, a picture (which is kept as PNG), or text that names files.

    take: opens paths.
    """
    data = QGuiApplication.clipboard().mimeData()
    paths = local_files(data)
    if paths:
        take(paths)
    elif data is not None and data.hasImage():
        _paste_picture(QGuiApplication.clipboard().image(), window, take)
    else:
        window.tell("There is no picture on the clipboard")


def local_files(data: QMimeData | None) -> list[Path]:
    """The files that are named as URLs, or as lines of text that are all paths of files that exist."""
    if data is None:
        return []
    paths = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()] if data.hasUrls() else []
    if paths or data.hasImage() or not data.hasText():
        return paths
    lines = [line.strip() for line in data.text().splitlines() if line.strip()]
    named = [_path(line) for line in lines[:MOST_LINES]]
    return named if all(_exists(path) for path in named) else []


def _path(line: str) -> Path:
    url = QUrl(line)
    return Path(url.toLocalFile()) if url.isLocalFile() else Path(line.strip("'\"")).expanduser()


def _exists(path: Path) -> bool:
    try:
        return path.is_absolute() and path.exists()
    except (OSError, ValueError):
        return False


def _paste_picture(picture: QImage, window: Frame, take: Callable[[list[Path]], None]) -> None:
    """Keep a picture as PNG, named by its content, so that a session can open it again."""
    memory.require(12 * picture.width() * picture.height(), "the picture on the clipboard")
    folder = data_folder() / "pasted"

    def keep() -> Path:
        image = image_of(picture)
        path = folder / f"pasted-{image.digest[:16]}.png"
        if not path.exists():
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise write_error(error, folder) from error
            write_png(path, image)
        return path

    window.controller.desk.apart(keep, lambda path: take([path]))


def image_of(picture: QImage) -> Image:
    """A Qt picture as ours, in sRGB: 8 bits, or 16 where it has more; with alpha only where some of it is unlike."""
    if picture.colorSpace().isValid() and picture.colorSpace() != QColorSpace(QColorSpace.NamedColorSpace.SRgb):
        picture = picture.convertedToColorSpace(QColorSpace(QColorSpace.NamedColorSpace.SRgb))
    deep = picture.depth() > 32 or picture.format() == QImage.Format.Format_Grayscale16
    kind = QImage.Format.Format_RGBA64 if deep else QImage.Format.Format_RGBA8888
    rgba = picture.convertToFormat(kind)
    dtype = np.dtype(np.uint16 if deep else np.uint8)
    rows = np.frombuffer(rgba.constBits(), dtype).reshape(rgba.height(), rgba.bytesPerLine() // dtype.itemsize)
    pixels = rows[:, : 4 * rgba.width()].reshape(rgba.height(), rgba.width(), 4)
    alpha = pixels[:, :, 3]
    if (alpha == alpha.flat[0]).all():  # opaque, or what programs leave that know no alpha
        return Image(pixels[:, :, :3].copy())
    return Image(pixels.copy(), alpha=Alpha.STRAIGHT)


def copy(window: Frame) -> None:
    """Put the picture of the active pane onto the clipboard: the original, or what the stored bytes decode to."""
    state = window.state
    rendition = state.active if state.active in state.renditions() else ORIGINAL
    if rendition == ORIGINAL:
        source = state.current
        image, shown = (source.image, source.display) if source is not None else (None, None)
    else:
        outcome = state.outcome(rendition)
        image, shown = (outcome.solved.decoded if outcome.solved else None), outcome.display
    if image is None or shown is None:
        window.tell("There is no picture to copy yet")
        return

    def place(picture: QImage) -> None:
        QGuiApplication.clipboard().setImage(picture)
        window.tell("The picture is on the clipboard")

    tone = state.tone
    window.controller.desk.apart(lambda: picture_of(image, shown, tone), place)


def picture_of(image: Image, shown: Shown, tone: Tone = NEUTRAL) -> QImage:
    """What is shown of a picture as a Qt picture, light in a tone, with its alpha in place of what shows through."""
    height, width, _ = shown.shape
    alpha = image.alpha_plane
    if isinstance(shown, Film) or alpha is None or image.alpha is not Alpha.STRAIGHT:
        rgb = shown.develop(tone) if isinstance(shown, Film) else shown
        return QImage(rgb.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()
    opaque = replace(image, pixels=np.ascontiguousarray(image.colour_pixels), alpha=Alpha.NONE)
    cover = np.rint(alpha * (255 / image.peak)).astype(np.uint8)
    rgba = np.ascontiguousarray(np.dstack([to_display(opaque), cover]))
    return QImage(rgba.data, width, height, 4 * width, QImage.Format.Format_RGBA8888).copy()
