"""What the machine lacks, found before Qt aborts or pip fails, and the line that names the packages to install.

Standard library only, and runs as a script before anything is installed:
`python gui/probe.py build|offscreen|window` prints one line and exits with 1 when something is missing,
`display` exits with 1 when there is none, `packages` prints what apt-get would have to install.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import shutil
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

PYTHONS = ((3, 11), (3, 13))  # the oldest and the newest that we build and test with
_FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts", "/run/host/fonts")
_FONTS = "a font"

# What is missing -> its package for apt, dnf and pacman.
_PACKAGES = {
    "a C compiler": ("gcc libc6-dev", "gcc", "gcc"),
    "Python's C headers": ("python3-dev", "python3-devel", "python"),
    "Python's venv module": ("python3-venv", "python3", "python"),
    "libGL.so.1": ("libgl1", "libglvnd-glx", "libglvnd"),
    "libEGL.so.1": ("libegl1", "libglvnd-egl", "libglvnd"),
    "libX11.so.6": ("libx11-6", "libX11", "libx11"),
    "libxkbcommon.so.0": ("libxkbcommon0", "libxkbcommon", "libxkbcommon"),
    "libfontconfig.so.1": ("libfontconfig1", "fontconfig", "fontconfig"),
    "libfreetype.so.6": ("libfreetype6", "freetype", "freetype2"),
    "libglib-2.0.so.0": ("libglib2.0-0", "glib2", "glib2"),
    "libdbus-1.so.3": ("libdbus-1-3", "dbus-libs", "dbus"),
    _FONTS: ("fonts-dejavu-core", "dejavu-sans-fonts", "ttf-dejavu"),
    "libxcb-cursor.so.0": ("libxcb-cursor0", "xcb-util-cursor", "xcb-util-cursor"),
    "libxcb-icccm.so.4": ("libxcb-icccm4", "xcb-util-wm", "xcb-util-wm"),
    "libxcb-image.so.0": ("libxcb-image0", "xcb-util-image", "xcb-util-image"),
    "libxcb-keysyms.so.1": ("libxcb-keysyms1", "xcb-util-keysyms", "xcb-util-keysyms"),
    "libxcb-render-util.so.0": ("libxcb-render-util0", "xcb-util-renderutil", "xcb-util-renderutil"),
    "libxcb-shape.so.0": ("libxcb-shape0", "libxcb", "libxcb"),
    "libxcb-xkb.so.1": ("libxcb-xkb1", "libxcb", "libxcb"),
    "libxkbcommon-x11.so.0": ("libxkbcommon-x11-0", "libxkbcommon-x11", "libxkbcommon-x11"),
    "libwayland-client.so.0": ("libwayland-client0", "libwayland-client", "wayland"),
    "libwayland-cursor.so.0": ("libwayland-cursor0", "libwayland-cursor", "wayland"),
}
_INSTALLERS = (("apt-get", "sudo apt-get install"), ("dnf", "sudo dnf install"), ("pacman", "sudo pacman -S"))

_QT = [name for name in _PACKAGES if name.startswith("lib") and "xcb" not in name and "wayland" not in name]
_X11 = [name for name in _PACKAGES if name.startswith("libxcb")] + ["libxkbcommon-x11.so.0"]
_WAYLAND = ["libwayland-client.so.0", "libwayland-cursor.so.0"]
_QT.remove("libxkbcommon-x11.so.0")


def has_display() -> bool:
    """Is there a screen to open a window on? Elsewhere than on Linux and its kin there always is."""
    if os.environ.get("QT_QPA_PLATFORM"):
        return True
    return not _is_x11_land() or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def missing_to_build() -> list[str]:
    """What keeps `make` from setting up: compiler, headers, venv."""
    missing = []
    if sys.platform != "win32" and not any(
        shutil.which(name) for name in (os.environ.get("CC", ""), "cc", "gcc", "clang")
    ):
        missing.append("a C compiler")
    if not Path(sysconfig.get_path("include"), "Python.h").is_file():
        missing.append("Python's C headers")
    if any(importlib.util.find_spec(name) is None for name in ("venv", "ensurepip")):
        missing.append("Python's venv module")
    return missing


def missing_for_qt(platform: str = "") -> list[str]:
    """What Qt would abort without. platform: Qt's name ("offscreen", "xcb", "wayland"), "" to go by the session."""
    if not _is_x11_land():
        return []
    names = list(_QT)
    wayland = platform.startswith("wayland") or (not platform and bool(os.environ.get("WAYLAND_DISPLAY")))
    if wayland:
        names += _WAYLAND
    elif platform in ("", "xcb"):
        names += _X11
    return [name for name in names if not _loads(name)] + ([] if _has_fonts() else [_FONTS])


def advice(missing: Iterable[str]) -> str:
    """One line: what is missing and the command that installs it, where the package manager is known."""
    names = list(missing)
    line = f"missing: {', '.join(names)}"
    for column, (program, command) in enumerate(_INSTALLERS):
        if shutil.which(program):
            packages = dict.fromkeys(package for name in names for package in _packages(name, column))
            return f"{line}; install with: {command} {' '.join(packages)}"
    return line


def _packages(name: str, column: int) -> list[str]:
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    packages = _PACKAGES[name][column].split()
    # Debian has the headers and venv once per Python version.
    return [p.replace("python3-", f"python{version}-") if column == 0 else p for p in packages]


def _is_x11_land() -> bool:
    return sys.platform.startswith(("linux", "freebsd"))


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _has_fonts() -> bool:
    folders = [Path(folder).expanduser() for folder in _FONT_FOLDERS]
    folders += [Path(folder, "fonts") for folder in os.environ.get("XDG_DATA_DIRS", "").split(":") if folder]
    suffixes = (".ttf", ".otf", ".ttc")
    return any(name.lower().endswith(suffixes) for top in folders for _, _, names in os.walk(top) for name in names)


def _main(what: str) -> int:
    if what == "packages":  # for machines that set themselves up: what apt-get has to install
        missing = [*missing_to_build(), *missing_for_qt("offscreen")]
        print(*dict.fromkeys(package for name in missing for package in _packages(name, 0)))
        return 0
    if not PYTHONS[0] <= sys.version_info[:2] <= PYTHONS[1]:
        oldest, newest = (".".join(map(str, version)) for version in PYTHONS)
        print(f"ratescope needs Python {oldest} to {newest}, this is {sys.version.split()[0]}; set PYTHON=… for make")
        return 1
    missing = {
        "build": missing_to_build,
        "offscreen": lambda: missing_for_qt("offscreen"),
        "window": missing_for_qt,
        "display": lambda: [] if has_display() else ["a display"],
    }[what]()
    if missing and what != "display":
        print(advice(missing))
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1]))
