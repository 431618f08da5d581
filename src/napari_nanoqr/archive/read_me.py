"""What the folder of an archive says to whoever finds it."""

from __future__ import annotations

from textwrap import wrap

from napari_nanoqr.archive.field_files import field_name
from napari_nanoqr.archive.manifest import ArchiveManifest

READ_ME = "README.txt"
WIDTH = 78


def read_me(manifest: ArchiveManifest) -> str:
    """Return the text of ``README.txt``.

    Parameters
    ----------
    manifest : ArchiveManifest
        Of the archive.
    """
    index, plan = manifest.index, manifest.plan
    settings = plan.settings
    kind = index.facts.kind
    sheets = "1 sheet" if plan.sheets == 1 else f"{plan.sheets} sheets"
    layers = {".age": "decrypt it (age -d)", ".zst": "decompress it (zstd -d)"}
    opening = [layers[end] for end in (".age", ".zst") if end in kind]
    doses = [f"level {level} {dose:.3f}" for level, dose in enumerate(manifest.doses) if level]
    paragraphs = [
        f"This folder holds what is to be milled so that {manifest.file_count:,} "
        f"file{'s' * (manifest.file_count != 1)} of {manifest.user_bytes:,} bytes in all stand on "
        f"{sheets} of film: {plan.all_fields:,} fields of view, each a pattern file, with "
        f"{plan.all_tiles:,} tiles, {settings.tile.in_words}. A module is {settings.pitch_nm:g} nm "
        f"wide and carries {settings.bits_per_module} "
        f"bit{'s' * (settings.bits_per_module != 1)}. It was written by {index.program} on "
        f"{index.written}. The archive's number is "
        f"{index.archive}.",
        f"sheet-01/{field_name(0, settings.suffix)} is the first field. sheet-01/stage.csv tells "
        "where the stage goes for each: x to the right and y down, in micrometres from the "
        "sheet's top-left corner to the middle of the field. The middle of a pattern file is 0, 0. "
        "Dose factors (data types of a layout in thousandths, blue of a bitmap in 255ths): "
        + ", ".join(doses)
        + ". roles.png shows what each tile is.",
        "manifest.json tells all of this in figures, events.json what was done, plan.json what "
        "writing and reading take.",
        "To read the sheets: take a micrograph of each field, and run",
        "    nanoqr archive read IMAGES -o FILES",
        "Nothing of this folder is needed for that. Without that program: the first field of each "
        "sheet shows what it is, the second holds plain text that tells how to read the rest, and "
        "the tiles after it hold a full description and a short program in Python.",
        f"What stands on the sheets is one file, a {kind.removeprefix('.')} of "
        f"{index.facts.size:,} bytes, SHA-256 {index.facts.sha256}: "
        + ", ".join([*opening, "unpack it (tar -x)"])
        + ", and find a BagIt bag (RFC 8493) with the files in its folder data and their checksums "
        "beside it.",
    ]  # fmt: skip
    lines = ["ARCHIVE OF FILES ON CERAMIC FILM", "=" * 32, ""]
    for paragraph in paragraphs:
        lines += [paragraph] if paragraph.startswith(" ") else wrap(paragraph, WIDTH)
        lines.append("")
    return "\n".join(lines[:-1]) + "\n"
