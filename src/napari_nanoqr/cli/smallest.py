"""``nanoqr smallest``: the smallest symbols that hold a payload and will be read."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_nanoqr.design.film import Film
    from napari_nanoqr.fib.columns import Beam
    from napari_nanoqr.planning.condition import SemCondition
    from napari_nanoqr.planning.smallest import Choice

DESCRIPTION = """\
Rank all symbols that hold a payload by their area: QR, Micro QR and rMQR codes of all versions
and error-correction levels. For each, the time with the ion beam on, and how probably an image
of it will be read: predicted for the film, the beam and the SEM that are given."""

GOOD = 0.99
"""Share of the images that a good choice is read in."""

EPILOG = """\
examples:
  nanoqr smallest "https://tuwien.at"
  nanoqr smallest "https://www.tuwien.at" --allow-upper
  nanoqr smallest "CrN 15" --pitch 49 --pitch 35 --pixel-size 3 --probability 0.99
  nanoqr smallest "https://tuwien.at" --electrons 20 --defocus 10 --json
"""


def add_command(commands: Any) -> None:
    """Add the command's options to the parser."""
    parser = commands.add_parser(
        "smallest",
        help="the smallest symbols that hold a payload and will be read",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("text", metavar="TEXT", help="text or a URL, stored as UTF-8")
    parser.add_argument(
        "--pitch", type=float, action="append", metavar="NM",
        help="side of a module (default 49); may be given more than once",
    )  # fmt: skip
    parser.add_argument(
        "--allow-upper", action="store_true",
        help="scheme and host of a URL may become capital letters: shorter, and the same URL",
    )  # fmt: skip
    parser.add_argument(
        "--allow-eci", action="store_true",
        help="text may be stored in another character set, which not all readers understand",
    )  # fmt: skip
    parser.add_argument(
        "--symbology", choices=("QR", "Micro QR", "rMQR"), action="append", metavar="KIND",
        help="QR, Micro QR or rMQR (default: all); may be given more than once",
    )  # fmt: skip
    parser.add_argument(
        "--probability", type=float, default=0.0, metavar="P",
        help="leave out what is read less often, e.g. 0.99 (default 0)",
    )  # fmt: skip
    parser.add_argument(
        "--best-only", action="store_true",
        help="leave out what is read no more often than something smaller",
    )  # fmt: skip
    parser.add_argument("--most", type=int, default=20, metavar="N", help="lines (default 20)")
    milling = parser.add_argument_group("milling")
    milling.add_argument(
        "--beam", metavar="CURRENT", help='e.g. "26 pA" (default: the fastest that resolves)'
    )
    milling.add_argument("--film", default="CrN", help="material of the film (default CrN)")
    milling.add_argument(
        "--thickness", type=float, default=15.0, metavar="NM", help="of the film (default 15)"
    )
    milling.add_argument("--substrate", default="glass", help="beneath the film (default glass)")
    imaging = parser.add_argument_group("imaging")
    imaging.add_argument(
        "--pixel-size", type=float, default=6.125, metavar="NM", help="default 6.125"
    )
    imaging.add_argument(
        "--electrons", type=float, default=50.0, metavar="N",
        help="primary electrons for each pixel, of all frames together (default 50)",
    )  # fmt: skip
    imaging.add_argument(
        "--probe", type=float, default=2.0, metavar="NM", help="sigma of the probe (default 2)"
    )
    imaging.add_argument(
        "--defocus", type=float, default=0.0, metavar="NM",
        help="sigma of the blur that being out of focus adds (default 0)",
    )  # fmt: skip
    imaging.add_argument(
        "--drift", type=float, nargs=2, default=(0.0, 0.0), metavar=("Y", "X"),
        help="nm from the first pixel to the last (default 0 0)",
    )  # fmt: skip
    imaging.add_argument("--tilt", type=float, default=0.0, metavar="DEG", help="default 0")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Rank, and show."""
    from napari_nanoqr.design.film import Film
    from napari_nanoqr.fib.columns import find_beam
    from napari_nanoqr.planning.condition import SemCondition
    from napari_nanoqr.planning.smallest import smallest_symbols
    from napari_nanoqr.symbols.candidates import SYMBOLOGIES

    sem = SemCondition(
        options.pixel_size, options.electrons, options.probe, options.defocus,
        tuple(options.drift), options.tilt,
    )  # fmt: skip
    film = Film(options.film, options.thickness, options.substrate)
    pitches = options.pitch or [49.0]
    payload = _payload(options.text)
    choices = smallest_symbols(
        payload,
        pitches,
        film=film,
        beam=find_beam(options.beam) if options.beam else None,
        sem=sem,
        allow_upper=options.allow_upper,
        allow_eci=options.allow_eci,
        symbologies=options.symbology or SYMBOLOGIES,
        least_probability=options.probability,
        dominated=not options.best_only,
        most=options.most,
        progress=_progress if len(pitches) > 1 else None,
    )
    if options.json:
        print(json.dumps({"choices": [choice.to_dict() for choice in choices]}))
        return 0
    print(_conditions(choices, film, sem))
    print("\n".join(table(choices, several_pitches=len(pitches) > 1, payload=payload)))
    print(_note(choices))
    return 0 if choices else 1


HEADS = ("symbol", "modules", "pitch", "um^2", "/record", "beam on", "read %", "range", "")


def rows(
    choices: Sequence[Choice], payload: str | bytes | None = None
) -> tuple[list[tuple[str, ...]], int]:
    """Return the cells of a table of choices, and which of its rows is the record's.

    Parameters
    ----------
    choices : sequence of Choice
        Smallest first.
    payload : str or bytes, optional
        What was asked for: what is stored otherwise is marked.

    Returns
    -------
    list of tuple of str
        A row for each choice, as `HEADS` says, and one for the record.
    int
        Where the record's is; where the choices end before it, it is the last one.
    """
    from napari_nanoqr.cli.export import duration
    from napari_nanoqr.design.density import RECORD_AREA_UM2
    from napari_nanoqr.planning.read_probability import percent

    cells: list[tuple[str, ...]] = [
        (
            choice.name, f"{choice.modules[0]} x {choice.modules[1]}", f"{choice.pitch_nm:g} nm",
            f"{choice.area_um2:.3f}", f"{choice.times_record_area:.3f}",
            duration(choice.beam_time_s), f"{percent(choice.reading.probability)}",
            f"{percent(choice.reading.low)} to {percent(choice.reading.high)}",
            "" if payload in (None, choice.payload) else "in capitals",
        )
        for choice in choices
    ]  # fmt: skip
    at = sum(choice.area_um2 < RECORD_AREA_UM2 for choice in choices)
    area = f"{RECORD_AREA_UM2:.3f}"
    cells.insert(at, ("the record", "29 x 29", "48.5 nm", area, "1.000", "", "", "", ""))
    return cells, at


def table(
    choices: Sequence[Choice], *, several_pitches: bool = False, payload: str | bytes | None = None
) -> list[str]:
    """Return the ranked choices as lines, with the record among them.

    Parameters
    ----------
    choices : sequence of Choice
        Smallest first.
    several_pitches : bool
        Tell the pitch of each.
    payload : str or bytes, optional
        What was asked for: what is stored otherwise is marked.
    """
    kept = [i for i in range(len(HEADS)) if i != 2 or several_pitches]
    cells, _ = rows(choices, payload)
    lines = [[row[i] for i in kept] for row in (HEADS, *cells)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(kept))]
    left = (0, len(kept) - 1)
    return [
        "  ".join(
            cell.ljust(width) if i in left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]


def _conditions(choices: Sequence[Choice], film: Film, sem: SemCondition) -> str:
    beams: dict[tuple[float, Beam], None] = dict.fromkeys((c.pitch_nm, c.beam) for c in choices)
    lines = [f"{pitch:g} nm a module · {beam}" for pitch, beam in beams]
    return "\n".join([f"{film} · {sem}", *lines, ""])


def _note(choices: Sequence[Choice]) -> str:
    if not choices:
        return "\nNo symbol holds this payload and is read that often."
    said = (
        "\nread: images of 100 that are expected to be read; range: with 15 % fewer and more "
        "electrons"
    )
    if not any(choice.reading.probability >= GOOD for choice in choices):
        said += (
            "\nNone of these is read in 99 of 100 images: use --probability 0.99, more electrons "
            "or\nsmaller pixels, or a beam with a smaller spot."
        )
    return said


def _progress(done: int, planned: int, sentence: str) -> None:
    print(f"{done}/{planned}: {sentence}", file=sys.stderr)


def _payload(text: str) -> str | bytes:
    """Return text, or bytes where the command line held no UTF-8."""
    raw = text.encode("utf-8", "surrogateescape")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw
