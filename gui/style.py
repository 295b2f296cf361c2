"""Makes Qt look like the theme: palette, style sheet, fonts and icons, all from the tokens of `gui.theme`."""

from __future__ import annotations

from functools import cache
from importlib import resources

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QIcon, QPainter, QPalette, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

from gui.theme import DARK, RADIUS, THEMES, Theme, mix

TEXT_PX = 13
SMALL_PX = 12
HEADING_PX = 11
_FAMILIES = ("Inter", "Segoe UI", "SF Pro Text", "Noto Sans", "Ubuntu", "DejaVu Sans")
_THEME_PROPERTY = "ratescopeTheme"


def apply(app: QApplication, theme: Theme) -> None:
    """Give the whole application the looks of `theme`; widgets hear of it as a `StyleChange` event."""
    app.setProperty(_THEME_PROPERTY, theme.name)
    if app.styleSheet() == "":  # each of these restyles every widget there is: once is enough
        app.setStyle("Fusion")
        app.setFont(text_font())
        app.aboutToQuit.connect(icon.cache_clear)  # pixmaps must not outlive the application
    app.setPalette(_palette(theme))
    app.setStyleSheet(style_sheet(theme))


def current() -> Theme:
    """The theme that `apply` set last; the dark one before that."""
    app = QApplication.instance()
    return THEMES.get(app.property(_THEME_PROPERTY), DARK) if app is not None else DARK


# ---------------------------------------------------------------- fonts


@cache
def _family() -> str:
    present = set(QFontDatabase.families())
    return next((family for family in _FAMILIES if family in present), "")


def text_font(px: int = TEXT_PX, *, bold: bool = False) -> QFont:
    """The interface font at `px` pixels, with digits of one width so that figures stand still while they change."""
    font = QFont(_family()) if _family() else QFont()
    font.setPixelSize(px)
    font.setBold(bold)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


def heading_font() -> QFont:
    """The font of panel headings: small, bold, spaced capitals."""
    font = text_font(HEADING_PX, bold=True)
    font.setCapitalization(QFont.Capitalization.AllUppercase)
    font.setLetterSpacing(QFont.SpacingType.AbsoluteSpacing, 1.0)
    return font


# ---------------------------------------------------------------- icons


@cache
def _svg(name: str) -> str:
    return (resources.files("resources") / "icons" / f"{name}.svg").read_text(encoding="utf-8")


def paint_icon(painter: QPainter, name: str, rect: QRectF, colour: str) -> None:
    """Draw the icon `name` (a file of resources/icons) in one colour, #rrggbb, into `rect`."""
    renderer = QSvgRenderer(QByteArray(_svg(name).replace("currentColor", colour).encode()))
    renderer.render(painter, rect)


def pixmap(name: str, colour: str, side: int = 16, scale: float = 1.0) -> QPixmap:
    """The icon as a square of `side` device-independent pixels for a screen of `scale` device pixels each."""
    image = QPixmap(round(side * scale), round(side * scale))
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    paint_icon(painter, name, QRectF(image.rect()), colour)
    painter.end()
    image.setDevicePixelRatio(scale)
    return image


def _scales() -> list[float]:
    return sorted({1.0, *(screen.devicePixelRatio() for screen in QApplication.screens())})


@cache
def icon(name: str, theme: Theme, colour: str | None = None) -> QIcon:
    """The icon in the theme's tones: dim at rest, full under the pointer or when on, faint when disabled.

    colour: #rrggbb to use at rest and on instead.
    """
    tones = {
        QIcon.Mode.Normal: (colour or theme.dim, colour or theme.text),
        QIcon.Mode.Active: (colour or theme.text, colour or theme.text),
        QIcon.Mode.Selected: (theme.text, theme.text),
        QIcon.Mode.Disabled: (mix(theme.panel, theme.dim, 0.45),) * 2,
    }
    out = QIcon()
    for mode, (off, on) in tones.items():
        for scale in _scales():  # a QIcon picks the pixmap that fits the screen it is drawn on
            out.addPixmap(pixmap(name, off, 16, scale), mode, QIcon.State.Off)
            out.addPixmap(pixmap(name, on, 16, scale), mode, QIcon.State.On)
    return out


ICON_SIZE = QSize(16, 16)

# ---------------------------------------------------------------- palette and style sheet


def _palette(theme: Theme) -> QPalette:
    role = QPalette.ColorRole
    colours = {
        role.Window: theme.window,
        role.WindowText: theme.text,
        role.Base: theme.field,
        role.AlternateBase: theme.panel,
        role.Text: theme.text,
        role.PlaceholderText: theme.dim,
        role.Button: theme.raised,
        role.ButtonText: theme.text,
        role.BrightText: theme.error,
        role.Highlight: theme.accent,
        role.HighlightedText: theme.on_accent,
        role.Link: theme.accent,
        role.ToolTipBase: theme.raised,
        role.ToolTipText: theme.text,
        role.Light: theme.raised,
        role.Midlight: theme.raised,
        role.Mid: theme.hairline,
        role.Dark: theme.hairline,
        role.Shadow: theme.window,
    }
    palette = QPalette()
    for name, colour in colours.items():
        palette.setColor(name, QColor(colour))
    faint = QColor(mix(theme.panel, theme.dim, 0.6))
    for name in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, name, faint)
    return palette


def style_sheet(theme: Theme) -> str:
    """The style sheet of `theme`. Widgets say what they are through dynamic properties (kind, tone)."""
    hover = mix(theme.panel, theme.text, 0.07)
    faint = mix(theme.panel, theme.dim, 0.6)
    quiet = mix(theme.raised, theme.dim, 0.85)  # disabled menu rows carry the reason: they must stay legible
    edge = mix(theme.hairline, theme.text, 0.12)
    values = {
        **theme.__dict__,
        "hover": hover,
        "faint": faint,
        "quiet": quiet,
        "edge": edge,
        "radius": RADIUS,
        "small": SMALL_PX,
    }
    return _SHEET.replace("{", "{{").replace("}", "}}").replace("<<", "{").replace(">>", "}").format(**values)


_SHEET = """
QMainWindow, QDialog { background: <<window>>; }
QWidget[kind="bar"] { background: <<window>>; }
QWidget[kind="panel"] { background: <<panel>>; border: 1px solid <<hairline>>; border-radius: <<radius>>px; }
QWidget[kind="card"] { background: <<raised>>; border: 1px solid <<hairline>>; border-radius: <<radius>>px; }
QWidget[kind="card"][tone="error"] { border-color: <<error>>; }
QWidget[kind="popup"] { background: <<raised>>; border: 1px solid <<edge>>; border-radius: 8px; }
QLabel { background: transparent; }
QLabel[tone="dim"] { color: <<dim>>; }
QLabel[tone="small"] { color: <<dim>>; font-size: <<small>>px; }
QLabel[tone="error"] { color: <<error>>; font-size: <<small>>px; }
QLabel[tone="warn"] { color: <<warn>>; font-size: <<small>>px; }
QToolTip { background: <<raised>>; color: <<text>>; border: 1px solid <<edge>>; padding: 4px 6px; }

QPushButton { background: <<raised>>; color: <<text>>; border: 1px solid <<edge>>; border-radius: <<radius>>px;
    padding: 3px 12px; min-height: 18px; }
QPushButton:hover { background: <<hover>>; }
QPushButton:pressed { background: <<field>>; }
QPushButton:disabled { color: <<faint>>; border-color: <<hairline>>; }
QPushButton:focus { border-color: <<accent>>; }
QPushButton[kind="primary"] { background: <<accent>>; color: <<on_accent>>; border-color: <<accent>>; }
QPushButton[kind="primary"]:disabled { background: <<raised>>; color: <<faint>>; border-color: <<hairline>>; }
QPushButton[kind="quiet"], QToolButton { background: transparent; color: <<dim>>; border: 1px solid transparent;
    border-radius: 4px; padding: 2px 6px; }
QToolButton { padding: 2px; }
QPushButton[kind="quiet"]:hover, QToolButton:hover { background: <<hover>>; color: <<text>>; }
QPushButton[kind="quiet"]:checked, QToolButton[kind="tool"]:checked { background: <<raised>>; color: <<text>>;
    border-color: <<hairline>>; }
QPushButton[kind="quiet"]:focus, QToolButton:focus { border-color: <<accent>>; }
QToolButton:checked { color: <<text>>; }
QToolButton::menu-indicator, QPushButton::menu-indicator { image: none; width: 0; }

QPushButton[kind="field"] { background: <<field>>; color: <<dim>>; border: 1px solid <<hairline>>; text-align: left;
    padding: 3px 8px; }
QPushButton[kind="field"]:hover { border-color: <<edge>>; }
QPushButton[kind="field"]:focus { border-color: <<accent>>; }

QLineEdit, QSpinBox, QDoubleSpinBox { background: <<field>>; color: <<text>>; border: 1px solid <<hairline>>;
    border-radius: 4px; padding: 2px 6px; min-height: 18px;
    selection-background-color: <<accent>>; selection-color: <<on_accent>>; }
QLineEdit:hover, QSpinBox:hover, QDoubleSpinBox:hover { border-color: <<edge>>; }
QLineEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus { border-color: <<accent>>; }
QLineEdit:disabled, QSpinBox:disabled, QDoubleSpinBox:disabled { color: <<faint>>; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button { width: 0; height: 0; border: none; }
QAbstractSpinBox::up-arrow, QAbstractSpinBox::down-arrow { image: none; width: 0; height: 0; }
QAbstractSpinBox QLineEdit { background: transparent; border: none; padding: 0 2px; min-height: 0; }

QSlider { min-height: 18px; }
QSlider::groove:horizontal { height: 3px; background: <<hairline>>; border-radius: 1px; }
QSlider::sub-page:horizontal { height: 3px; background: <<accent>>; border-radius: 1px; }
QSlider::handle:horizontal { width: 11px; height: 11px; margin: -5px 0; border-radius: 6px; background: <<text>>;
    border: 1px solid <<panel>>; }
QSlider::handle:horizontal:focus { border: 2px solid <<accent>>; width: 9px; height: 9px; }

QProgressBar { background: <<hairline>>; border: none; border-radius: 1px; max-height: 3px; min-height: 3px; }
QProgressBar::chunk { background: <<accent>>; border-radius: 1px; }

QMenu { background: <<raised>>; color: <<text>>; border: 1px solid <<edge>>; border-radius: 6px; padding: 4px; }
QMenu::item { padding: 4px 20px 4px 12px; border-radius: 4px; }
QMenu::item:selected { background: <<hover>>; }
QMenu::item:disabled { color: <<quiet>>; }
QMenu::separator { height: 1px; background: <<hairline>>; margin: 4px 8px; }
QMenu::icon { padding-left: 6px; }

QAbstractItemView { background: transparent; border: none; outline: none; color: <<text>>;
    selection-background-color: <<raised>>; selection-color: <<text>>; }
QComboBox QAbstractItemView { background: <<raised>>; border: 1px solid <<edge>>; padding: 4px; outline: none;
    selection-background-color: <<hover>>; selection-color: <<text>>; }
QHeaderView { background: transparent; border: none; }
QHeaderView::section { background: transparent; color: <<dim>>; border: none; font-size: <<small>>px;
    padding: 2px 0 2px 6px; }
QHeaderView::down-arrow, QHeaderView::up-arrow { image: none; width: 0; height: 0; }
QTableView { gridline-color: transparent; }
QTableCornerButton::section { background: transparent; border: none; }

QScrollArea { background: transparent; border: none; }
QScrollBar:vertical { background: transparent; width: 8px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 8px; margin: 0; }
QScrollBar::handle { background: <<edge>>; border-radius: 3px; min-height: 24px; min-width: 24px; margin: 1px; }
QScrollBar::handle:hover { background: <<dim>>; }
QScrollBar::add-line, QScrollBar::sub-line, QScrollBar::add-page, QScrollBar::sub-page { background: none;
    border: none; width: 0; height: 0; }
QSplitter::handle { background: transparent; }
QSplitter::handle:hover { background: <<hairline>>; }
"""
