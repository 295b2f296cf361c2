"""Every action of the window: one table gives menus, shortcuts and the command palette."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget


@dataclass(frozen=True)
class ActionSpec:
    """id names the slot that serves it; group is the menu; keys are portable shortcut texts, first one shown.

    rule: a line parts it from those above it in the menu.
    """

    id: str
    text: str
    group: str
    keys: tuple[str, ...] = ()
    rule: bool = False


ACTIONS: tuple[ActionSpec, ...] = (
    ActionSpec("new_session", "New session", "File", ("Ctrl+Alt+N",)),
    ActionSpec("open_session", "Open session…", "File", ("Ctrl+Alt+O",)),
    ActionSpec("open_recent", "Open recent", "File", ("Ctrl+R",)),
    ActionSpec("save_session", "Save session", "File", ("Ctrl+Alt+S",)),
    ActionSpec("save_session_as", "Save session as…", "File", ("Ctrl+Alt+Shift+S",)),
    ActionSpec("former_session", "Bring back the former session", "File"),
    ActionSpec("open", "Open pictures…", "File", ("Ctrl+O",), rule=True),
    ActionSpec("open_folder", "Open folder…", "File", ("Ctrl+Shift+O",)),
    ActionSpec("paste", "Paste a picture or files", "File", ("Ctrl+V",)),
    ActionSpec("reload", "Reload the picture", "File", ("F5",)),
    ActionSpec("save_file", "Save encoded file…", "File", ("Ctrl+S",), rule=True),
    ActionSpec("save_decoded", "Save decoded picture…", "File", ("Ctrl+Shift+S",)),
    ActionSpec("write_back", "Write maps back to another folder…", "File", ("Ctrl+Alt+W",)),
    ActionSpec("copy_picture", "Copy the picture", "File", ("Ctrl+C",)),
    ActionSpec("copy_command", "Copy as command line", "File", ("Ctrl+Shift+C",)),
    ActionSpec("export_chart", "Export chart…", "File", ("Ctrl+E",)),
    ActionSpec("export_numbers", "Export numbers…", "File", ("Ctrl+Shift+E",)),
    ActionSpec("open_curves", "Lay curves under the plot…", "File", ("Ctrl+L",), rule=True),
    ActionSpec("published_curves", "Lay published curves (Kodak) under the plot", "File"),
    ActionSpec("clear_curves", "Remove the curves laid under the plot", "File"),
    ActionSpec("preferences", "Preferences…", "File", ("Ctrl+,",), rule=True),
    ActionSpec("quit", "Quit", "File", ("Ctrl+Q",)),
    ActionSpec("next_source", "Next picture", "Picture", ("PgDown",)),
    ActionSpec("previous_source", "Previous picture", "Picture", ("PgUp",)),
    ActionSpec("next_map", "Next map of the bake", "Picture", ("M",)),
    ActionSpec("previous_map", "Previous map of the bake", "Picture", ("Shift+M",)),
    ActionSpec("paint_region", "Paint where the bits matter", "Picture", ("I",), rule=True),
    ActionSpec("region_more", "Brush: more important", "Picture", ("Alt+M",)),
    ActionSpec("region_less", "Brush: less important", "Picture", ("Alt+L",)),
    ActionSpec("region_erase", "Brush: erase", "Picture", ("Alt+E",)),
    ActionSpec("brush_larger", "Larger brush", "Picture", ("Shift+]", "}")),
    ActionSpec("brush_smaller", "Smaller brush", "Picture", ("Shift+[", "{")),
    ActionSpec("region_undo", "Take the last stroke back", "Picture", ("Ctrl+Z",)),
    ActionSpec("region_clear", "Clear what is painted", "Picture"),
    ActionSpec("region_open", "Paint by a mask file…", "Picture"),
    ActionSpec("region_save", "Save what is painted as a mask…", "Picture"),
    ActionSpec("remove_source", "Remove the picture from the list", "Picture", ("Ctrl+Backspace",)),
    ActionSpec("add_codec", "Add codec…", "Codecs", ("Ctrl+N",)),
    ActionSpec("remove_lane", "Remove the active codec", "Codecs", ("Ctrl+W",)),
    ActionSpec("move_lane_up", "Move the active codec up", "Codecs", ("Ctrl+Up",)),
    ActionSpec("move_lane_down", "Move the active codec down", "Codecs", ("Ctrl+Down",)),
    ActionSpec("save_preset", "Save the active codec's settings as a preset…", "Codecs"),
    ActionSpec("measure_times", "Measure times alone", "Codecs", ("Ctrl+T",)),
    ActionSpec("check_decode", "Decode the active codec's file in a fresh process", "Codecs", ("Ctrl+D",)),
    ActionSpec("batch", "Batch of a folder…", "Codecs", ("Ctrl+B",)),
    ActionSpec("budget", "Memory budget of a set…", "Codecs", ("Ctrl+M",)),
    ActionSpec("training", "Training…", "Codecs", ("Ctrl+Shift+T",)),
    ActionSpec("between", "Between two pictures…", "Codecs", ("Ctrl+Shift+I",)),
    ActionSpec("cancel", "Cancel all jobs", "Codecs", ("Esc",)),
    ActionSpec("rate_up", "More bits", "Rate", ("Right",)),
    ActionSpec("rate_down", "Fewer bits", "Rate", ("Left",)),
    ActionSpec("rate_up_much", "Many more bits", "Rate", ("Ctrl+Right",)),
    ActionSpec("rate_down_much", "Many fewer bits", "Rate", ("Ctrl+Left",)),
    ActionSpec("edit_rate", "Type the target", "Rate", ("R",)),
    ActionSpec("layout_single", "Single pane", "View", ("Alt+1",)),
    ActionSpec("layout_wipe", "Wipe", "View", ("Alt+2", "W")),
    ActionSpec("layout_side", "Side by side", "View", ("Alt+3",)),
    ActionSpec("layout_grid", "Grid", "View", ("Alt+4", "G")),
    ActionSpec("layout_blink", "Blink", "View", ("Alt+5",)),
    ActionSpec("view_picture", "Picture", "View", ("P",)),
    ActionSpec("view_error", "Error map", "View", ("E",)),
    ActionSpec("view_bits", "Bits", "View", ("B",)),
    ActionSpec("view_bits_error", "Bits × error", "View", ("X",)),
    ActionSpec("view_lit", "Lit, as the game will show it", "View", ("L",)),
    ActionSpec("view_scene", "3-D: on a mesh", "View", ("D",)),
    ActionSpec("lit_errors", "Errors of the lit picture", "View", ("Shift+E",)),
    ActionSpec("open_mesh", "Open mesh…", "Picture", ("Ctrl+Shift+M",)),
    ActionSpec("overlay", "Error map over the picture", "View", ("O",)),
    ActionSpec("exposure_up", "More exposure (a tenth of a stop)", "View", (".",)),
    ActionSpec("exposure_down", "Less exposure (a tenth of a stop)", "View", (",",)),
    ActionSpec("exposure_up_much", "More exposure (a stop)", "View", ("Alt+.",)),
    ActionSpec("exposure_down_much", "Less exposure (a stop)", "View", ("Alt+,",)),
    ActionSpec("exposure_auto", "Automatic exposure", "View", ("A",)),
    ActionSpec("tone_reset", "Exposure 0, sRGB", "View", ("0",)),
    ActionSpec("next_channel", "Next channel of directions or masks", "View", ("C",)),
    ActionSpec("next_curve", "Next tone curve", "View", ("T",)),
    ActionSpec("fit", "Fit to pane", "View", ("F",)),
    ActionSpec("one_to_one", "One to one", "View", ("Z",)),
    ActionSpec("zoom_in", "Zoom in", "View", ("+", "=")),
    ActionSpec("zoom_out", "Zoom out", "View", ("-",)),
    ActionSpec("next_rendition", "Next codec", "View", ("Ctrl+Tab",)),
    ActionSpec("previous_rendition", "Previous codec", "View", ("Ctrl+Shift+Tab",)),
    ActionSpec("toggle_theme", "Light or dark theme", "View", ("Ctrl+Shift+L",)),
    ActionSpec("toggle_left", "Show or hide the sources", "View", ("F7",)),
    ActionSpec("toggle_right", "Show or hide the codecs", "View", ("F8",)),
    ActionSpec("toggle_bottom", "Show or hide plot and table", "View", ("F9",)),
    ActionSpec("toggle_set", "Show or hide the set of maps", "View", ("F10",)),
    ActionSpec("full_screen", "Full screen", "View", ("F11",)),
    ActionSpec("palette", "Search actions…", "Help", ("Ctrl+K",)),
    ActionSpec("shortcuts", "Keyboard shortcuts", "Help", ("F1",)),
    ActionSpec("about", "About Ratescope", "Help"),
    *(ActionSpec(f"pick_{n}", f"Rendition {n}", "Renditions", (str(n),)) for n in range(1, 10)),
)


def build(parent: QWidget, serve: Callable[[str], None]) -> dict[str, QAction]:
    """The actions as children of `parent`; each calls `serve` with its id when triggered."""
    made: dict[str, QAction] = {}
    for spec in ACTIONS:
        action = QAction(spec.text, parent)
        action.setObjectName(spec.id)
        action.setData(spec.group)
        action.setShortcuts([QKeySequence(key) for key in spec.keys])
        action.triggered.connect(lambda _checked=False, name=spec.id: serve(name))
        parent.addAction(action)
        made[spec.id] = action
    return made
