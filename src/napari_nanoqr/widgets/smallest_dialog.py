"""A window that ranks the symbols which hold a payload, to choose one of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from magicgui.widgets import CheckBox, ComboBox, FloatSpinBox, LineEdit
from qtpy.QtCore import Qt
from qtpy.QtGui import QCloseEvent
from qtpy.QtWidgets import QPushButton, QWidget

from napari_nanoqr.cli.choices import limits_of
from napari_nanoqr.cli.smallest import SMALLEST
from napari_nanoqr.design.film import Film
from napari_nanoqr.fib.columns import beams, find_beam
from napari_nanoqr.progress import IsCancelled, Progress
from napari_nanoqr.widgets.choices_table import ChoicesTable
from napari_nanoqr.widgets.panel import BAD, GOOD, Panel, sentence_of

if TYPE_CHECKING:
    from napari_nanoqr.planning.choice import Choice

FASTEST = ""
"""Value of the field that leaves the choice of the beam to the ranking."""

_SIZE = (760, 740)


class Asked(NamedTuple):
    """What the symbols are to hold, and what they are milled into."""

    payload: bytes | str
    film: Film
    pitch_nm: float
    allow_upper: bool
    eci: bool
    cheapest: bool = False


class SmallestDialog(Panel):
    """Rank all symbols that hold a payload by their area, and give one of them back.

    Parameters
    ----------
    parent : QWidget
        The widget that the window belongs to.
    asked : callable
        Returns what that widget shows; raises ValueError or OSError where it shows nothing.
    use : callable
        Takes a choice, whether an ECI was allowed, and whether its mask is the cheapest rather
        than the usual one.
    """

    def __init__(
        self,
        parent: QWidget,
        asked: Callable[[], Asked],
        use: Callable[[Choice, bool, bool], None],
    ) -> None:
        super().__init__("Smallest symbol", "smallest")
        # a window of its own that stays before the one it belongs to, and blocks nothing
        self.setParent(parent, Qt.WindowType.Window)
        self.setWindowTitle("Smallest symbol")
        self.resize(*_SIZE)
        self._ask, self._use = asked, use
        self._ranked: Asked | None = None
        self._build_fields()

    def _build_fields(self) -> None:
        self.pitches = LineEdit(value="49", label="Pitch (nm)")
        self.pitches.tooltip = "Side of a module; several with commas are compared: 49, 40, 30"
        self.sweep = CheckBox(text="the smallest at which each is read", label="")
        self.sweep.tooltip = "In whole nm, down to what the beam resolves; some ten seconds"
        self.sweep.changed.connect(lambda on: self.pitches.native.setEnabled(not on))
        self.beam = ComboBox(
            choices=lambda _: [
                ("the fastest that resolves the pitch, or the finest", FASTEST),
                *((str(beam), str(beam)) for beam in beams()),
            ],
            label="Beam",
        )
        self.electrons = FloatSpinBox(
            value=50.0, min=0.1, max=1e6, step=10, label="Electrons a pixel",
            tooltip="Primary electrons for each pixel of the micrograph, of all frames together",
        )  # fmt: skip
        self.pixel_size = FloatSpinBox(
            min=0.01, max=1e4, step=0.5, label="Pixel size (nm)", tooltip="Of the micrograph"
        )
        self.pixel_size.native.setDecimals(3)
        self.pixel_size.value = 6.125
        self.probability = FloatSpinBox(
            value=99.0, min=0, max=99.99, step=1, label="Read at least (%)",
            tooltip="What fewer images of 100 are read of is left out; 0 shows all",
        )  # fmt: skip
        self.allow_upper = CheckBox(text="Scheme and host of URLs may be in capitals", label="")
        self.allow_eci = CheckBox(text="Text in other character sets (ECI)", label="")
        self.cheapest = CheckBox(text="Mask with the least beam time", label="")
        self.cheapest.tooltip = "For each, such that it keeps its margin; a second or two for each"
        self.add_form(
            self.pitches, self.sweep, self.beam, self.electrons, self.pixel_size,
            self.probability, self.allow_upper, self.allow_eci, self.cheapest,
        )  # fmt: skip
        self.rank_button = QPushButton("Rank")
        self.rank_button.clicked.connect(self.rank)
        self.use_button = QPushButton("Use the selected one")
        self.use_button.setToolTip("Set Encode preview to it")
        self.use_button.clicked.connect(self.use_selected)
        self.add_buttons(self.rank_button, self.use_button)
        self.add_status()
        self.table = ChoicesTable()
        self.table.picked.connect(self._allow_use)
        self.table.taken.connect(self.use_selected)
        self.add(self.table)
        # it takes what is left of the window
        self._layout.setStretchFactor(self.table, 1)
        self._layout.setStretch(self._layout.count() - 1, 0)
        self._allow_use()

    def open(self) -> None:
        """Show the window with what the widget behind it shows now, and rank."""
        if not self.isVisible():
            try:
                asked = self._ask()
            except (ValueError, OSError) as problem:
                self.say(sentence_of(problem), BAD)
            else:
                self.pitches.value = f"{asked.pitch_nm:g}"
                self.allow_upper.value, self.allow_eci.value = asked.allow_upper, asked.eci
        self.show()
        self.raise_()
        self.activateWindow()
        self.rank()

    # -- ranking ----------------------------------------------------------------------------

    def rank(self) -> None:
        """Rank in the background."""
        if self.worker is not None:
            return
        try:
            asked, pitches = self._ask(), self._pitches()
        except (ValueError, OSError) as problem:
            self.say(sentence_of(problem), BAD)
            return
        beam = find_beam(self.beam.value) if self.beam.value else None
        electrons, pixel_size = self.electrons.value, self.pixel_size.value
        upper, eci = self.allow_upper.value, self.allow_eci.value
        least = self.probability.value / 100
        cheapest = self.cheapest.value
        asked = asked._replace(eci=eci, cheapest=cheapest)

        def rank(progress: Progress, cancelled: IsCancelled) -> list[Choice]:
            from napari_nanoqr.planning.condition import SemCondition
            from napari_nanoqr.planning.smallest import smallest_symbols

            progress(0, 1, "Simulating micrographs …")
            return smallest_symbols(
                asked.payload, pitches, film=asked.film, beam=beam,
                sem=SemCondition(pixel_size, electrons), allow_upper=upper, allow_eci=eci,
                least_probability=least, cheapest=cheapest, progress=progress,
                cancelled=cancelled,
            )  # fmt: skip

        def done(choices: list[Choice]) -> None:
            self._ranked = asked
            self.table.show_choices(choices, asked.payload)
            self._allow_use()
            if choices:
                self.say(_summary(choices, asked))
            else:
                self.say(
                    "No symbol that holds this payload is read that often: use more electrons, "
                    "smaller pixels or a beam with a smaller spot, or ask for less.",
                    BAD,
                )

        self.run(rank, done, busy=(self.rank_button,))

    def _pitches(self) -> list[float] | Literal["smallest"]:
        if self.sweep.value:
            return SMALLEST
        words = self.pitches.value.replace(";", ",").split(",")
        try:
            pitches = [float(word) for word in words]
        except ValueError:
            raise ValueError("Pitches are numbers in nm with commas between: 49, 40, 30.") from None
        if not all(1 <= pitch <= 1e6 for pitch in pitches):
            raise ValueError("A pitch is out of range: use 1 nm to 1 mm.")
        return pitches

    # -- choosing ---------------------------------------------------------------------------

    def _allow_use(self) -> None:
        self.use_button.setEnabled(self.table.selected is not None)

    def use_selected(self) -> None:
        """Give the selected choice back, unless the payload is another one by now."""
        choice, ranked = self.table.selected, self._ranked
        if choice is None or ranked is None:
            return
        try:
            now = self._ask().payload
        except (ValueError, OSError):
            now = b""
        if now != ranked.payload:
            self.say("The payload has changed since: press Rank again.", BAD)
            return
        self._use(choice, ranked.eci, ranked.cheapest)
        self.say(f"Encode preview shows {choice.name} at {choice.pitch_nm:g} nm.", GOOD)

    def closeEvent(self, event: QCloseEvent | None) -> None:  # noqa: N802
        """Stop what is running: nobody would see its end."""
        self.cancel()
        super().closeEvent(event)

    # -- settings ---------------------------------------------------------------------------

    def settings(self) -> dict[str, Any]:
        """Return the fields under the names of the options of ``nanoqr smallest``.

        Raises
        ------
        ValueError
            Where the pitches are no numbers, or there is no payload.
        OSError
            Where the file with the payload cannot be read.
        """
        asked, pitches = self._ask(), self._pitches()
        return {
            "": [asked.payload] if isinstance(asked.payload, str) else [],
            "pitch": [pitches] if isinstance(pitches, str) else pitches,
            "beam": self.beam.value or None,
            "electrons": self.electrons.value,
            "pixel_size": self.pixel_size.value,
            "probability": self.probability.value / 100,
            "allow_upper": self.allow_upper.value,
            "allow_eci": self.allow_eci.value,
            "cheapest_mask": self.cheapest.value,
            "film": asked.film.material,
            "thickness": asked.film.thickness_nm,
            "below": ", ".join(map(str, asked.film.below)) or None,
            "substrate": asked.film.substrate,
        }

    def apply_settings(self, settings: dict[str, Any]) -> None:
        """Set the fields from settings of ``nanoqr smallest``; payload and film stay.

        Raises
        ------
        ValueError
            Where the beam is not known.
        """
        if "beam" in settings:
            beam = settings["beam"]
            self.beam.value = str(find_beam(beam)) if beam else FASTEST
        if settings.get("pitch"):
            self.sweep.value = settings["pitch"] == [SMALLEST]
        if settings.get("pitch") and not self.sweep.value:
            self.pitches.value = ", ".join(f"{pitch:g}" for pitch in settings["pitch"])
        if settings.get("probability") is not None:
            self.probability.value = 100 * settings["probability"]
        for name, field in (
            ("electrons", self.electrons), ("pixel_size", self.pixel_size),
            ("allow_upper", self.allow_upper), ("allow_eci", self.allow_eci),
            ("cheapest_mask", self.cheapest),
        ):  # fmt: skip
            if settings.get(name) is not None:
                field.value = settings[name]


def _summary(choices: list[Choice], asked: Asked) -> str:
    best = choices[0]
    return (
        f"{best.name}: {best.area_um2:.3g} µm² at {best.pitch_nm:g} nm, "
        f"{best.times_record_area:.2f} x the record; read probability {best.reading}. "
        f"{asked.film}, {best.beam}. {limits_of(choices)}"
    ).rstrip()
