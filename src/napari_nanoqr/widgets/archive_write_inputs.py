"""From the settings of Archive write to what planning and writing take."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_nanoqr.archive.settings import ArchiveSettings
from napari_nanoqr.cli.archive_options import (
    add_needs_options,
    add_settings_options,
    needs_from,
    settings_from,
)
from napari_nanoqr.cli.archive_read import first_line

if TYPE_CHECKING:
    from napari_nanoqr.archive.plan import ArchiveNeeds


def plan_inputs(values: dict[str, Any]) -> tuple[ArchiveSettings, ArchiveNeeds]:
    """Return what settings of the command mean for a plan; who may read is left out.

    Raises
    ------
    ValueError, OSError
        With a sentence for people.
    """
    options = _options_of(values)
    # a plan depends on whether names stand in the index, not on the key
    encrypted = values["recipient"] or values["passphrase_file"]
    settings = settings_from(
        options, compress=options.compress, recipients=("planned",) if encrypted else ()
    )
    return settings, needs_from(options, settings)


def write_inputs(values: dict[str, Any]) -> tuple[ArchiveSettings, ArchiveNeeds]:
    """Return what settings of the command mean for writing.

    Raises
    ------
    ValueError, OSError
        With a sentence for people.
    """
    options = _options_of(values)
    secret = values["passphrase_file"]
    settings = settings_from(
        options, compress=options.compress, recipients=tuple(values["recipient"] or ()),
        passphrase=None if secret is None else first_line(Path(secret)),
    )  # fmt: skip
    return settings, needs_from(options, settings)


def _options_of(values: dict[str, Any]) -> Namespace:
    """Return settings as the command has them after parsing, with its defaults for the rest."""
    parser = ArgumentParser()
    add_settings_options(parser)
    add_needs_options(parser)
    options = parser.parse_args([])
    for name, value in values.items():
        if value is not None:
            setattr(options, name, value)
    if options.materials is not None:
        options.materials = Path(options.materials)
    return options
