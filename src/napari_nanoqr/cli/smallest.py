"""``nanoqr smallest``: the smallest symbols that hold a payload and will be read."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from napari_nanoqr.cli.choices import limits_of, table
from napari_nanoqr.cli.film_options import add_film_options, film_from

if TYPE_CHECKING:
    from napari_nanoqr.design.film import Film
    from napari_nanoqr.fib.columns import Beam
    from napari_nanoqr.planning.choice import Choice
    from napari_nanoqr.planning.condition import SemCondition

DESCRIPTION = """\
Rank all symbols that hold a payload by their area: QR, Micro QR and rMQR codes of all versions
and error-correction levels. For each, the time with the ion beam on, and how probably an image
of it will be read: predicted for the film, the beam and the SEM that are given."""

GOOD = 0.99
"""Share of the images that a good choice is read in."""

SMALLEST: Final = "smallest"
"""What ``--pitch`` says for the smallest that is read."""

EPILOG = """\
examples:
  nanoqr smallest "https://tuwien.at"
  nanoqr smallest "https://www.tuwien.at" --allow-upper
  nanoqr smallest "https://tuwien.at" --pitch smallest
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
        "--pitch", type=_pitch, action="append", metavar="NM|smallest",
        help="side of a module (default 49), may be given more than once; smallest: of each symbol "
        "the smallest in whole nm that the beam resolves and that is read",
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
        "--probability", type=float, metavar="P",
        help="leave out what is read less often, e.g. 0.99 (default 0; 0.99 for the smallest "
        "pitch)",
    )  # fmt: skip
    parser.add_argument(
        "--best-only", action="store_true",
        help="leave out what is read no more often than something smaller",
    )  # fmt: skip
    parser.add_argument(
        "--cheapest-mask", action="store_true",
        help="the mask and polarity of each that take the least beam time and keep its margin; a "
        "second or two each",
    )  # fmt: skip
    parser.add_argument("--most", type=int, default=20, metavar="N", help="lines (default 20)")
    milling = parser.add_argument_group("milling")
    milling.add_argument(
        "--beam", metavar="CURRENT",
        help='e.g. "26 pA" (default: the fastest that resolves; for the smallest pitch the finest)',
    )  # fmt: skip
    add_film_options(milling)
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
    from napari_nanoqr.fib.columns import find_beam
    from napari_nanoqr.planning.condition import SemCondition
    from napari_nanoqr.planning.smallest import smallest_symbols
    from napari_nanoqr.symbols.candidates import SYMBOLOGIES

    sem = SemCondition(
        options.pixel_size, options.electrons, options.probe, options.defocus,
        tuple(options.drift), options.tilt,
    )  # fmt: skip
    film = film_from(options)
    pitches: Any = options.pitch or [49.0]
    sweep = pitches == [SMALLEST]
    if SMALLEST in pitches and not sweep:
        raise ValueError("Give pitches in nm, or --pitch smallest alone.")
    payload = _payload(options.text)
    choices = smallest_symbols(
        payload,
        SMALLEST if sweep else pitches,
        film=film,
        beam=find_beam(options.beam) if options.beam else None,
        sem=sem,
        allow_upper=options.allow_upper,
        allow_eci=options.allow_eci,
        symbologies=options.symbology or SYMBOLOGIES,
        least_probability=options.probability,
        dominated=not options.best_only,
        cheapest=options.cheapest_mask,
        most=options.most,
        progress=_progress if len(pitches) > 1 or sweep or options.cheapest_mask else None,
    )
    if options.json:
        print(json.dumps({"choices": [choice.to_dict() for choice in choices]}))
        return 0
    print(_conditions(choices, film, sem))
    print("\n".join(table(choices, several_pitches=len(pitches) > 1 or sweep, payload=payload)))
    print(_note(choices, sweep))
    return 0 if choices else 1


def _conditions(choices: Sequence[Choice], film: Film, sem: SemCondition) -> str:
    pitches: dict[Beam, list[float]] = {}
    for choice in choices:
        pitches.setdefault(choice.beam, []).append(choice.pitch_nm)
    lines = [f"{_range(all_of_it)} nm a module · {beam}" for beam, all_of_it in pitches.items()]
    return "\n".join([f"{film} · {sem}", *lines, ""])


def _range(pitches: Sequence[float]) -> str:
    low, high = min(pitches), max(pitches)
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"


def _note(choices: Sequence[Choice], sweep: bool) -> str:
    if not choices:
        return "\nNo symbol holds this payload and is read that often."
    said = (
        "\nread: images of 100 that are expected to be read; range: with 15 % fewer and more "
        "electrons"
    )
    if sweep:
        return f"{said}\nlimit: what keeps the pitch from being smaller\n{limits_of(choices)}"
    if not any(choice.reading.probability >= GOOD for choice in choices):
        said += (
            "\nNone of these is read in 99 of 100 images: use --probability 0.99, more electrons "
            "or\nsmaller pixels, or a beam with a smaller spot."
        )
    return said


def _progress(done: int, planned: int, sentence: str) -> None:
    print(f"{done}/{planned}: {sentence}", file=sys.stderr)


def _pitch(word: str) -> float | str:
    if word.strip().lower() == SMALLEST:
        return SMALLEST
    try:
        return float(word)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{word!r} is no number of nm, nor 'smallest'") from None


def _payload(text: str) -> str | bytes:
    """Return text, or bytes where the command line held no UTF-8."""
    raw = text.encode("utf-8", "surrogateescape")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw
