"""The texts inside SEM files: encodings, sections with ``key=value`` lines, XML."""

from __future__ import annotations

import codecs
import json
import re
import xml.etree.ElementTree as ET
from typing import Any

from napari_nanoqr.sem.files.quantities import plain

Sections = dict[str, dict[str, str]]


def decode(data: bytes) -> str:
    """Decode the text of a tag or sidecar file, whose encoding no file tells.

    UTF-16 is known by its byte-order mark or by its zero bytes; else UTF-8, and where that
    is not valid the Western Windows code page, which most microscope software runs in.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = data.decode("utf-16", "replace")
    elif len(data) >= 4 and data[1:200:2].count(0) > len(data[1:200:2]) // 2:
        text = data.decode("utf-16-le", "replace")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = data.decode("cp1252", "replace")
    return text.strip("\x00")


def parse_sections(text: str) -> Sections:
    """Parse ``[Section]`` and ``key=value`` lines; lines before any section are under ``""``.

    configparser would refuse the files of real instruments: keys twice, ``%`` in values,
    lines without ``=``.
    """
    sections: Sections = {}
    current = sections.setdefault("", {})
    for line in text.splitlines():
        line = line.strip()
        if line.startswith("[") and line.endswith("]"):
            current = sections.setdefault(line[1:-1], {})
            continue
        key, equals, value = line.partition("=")
        if equals:
            current[key.strip()] = value.strip()
    if not sections[""]:
        del sections[""]
    return sections


def plain_sections(sections: Sections) -> dict[str, Any]:
    """Flatten sections to ``{"Section.key": value}`` with numbers as numbers."""
    return {
        f"{name}.{key}" if name else key: plain(value)
        for name, entries in sections.items()
        for key, value in entries.items()
    }


def parse_xml(text: str) -> ET.Element:
    """Parse XML that may have zero bytes behind it.

    Raises
    ------
    ValueError
        If it is not well-formed.
    """
    end = text.rfind(">")
    try:
        return ET.fromstring(text[: end + 1].strip())
    except (ET.ParseError, ValueError) as error:
        raise ValueError(f"its XML is damaged ({error})") from error


def local_name(element: ET.Element) -> str:
    """Name of an XML element without its namespace."""
    return re.sub(r"^\{.*\}", "", element.tag)


def flatten_xml(root: ET.Element) -> dict[str, str]:
    """Leaves as ``{"Scan.PixelSize.X": "3.4e-9 m"}``, a ``unit`` attribute behind the value."""
    leaves: dict[str, str] = {}

    def walk(element: ET.Element, path: str) -> None:
        for child in element:
            name = f"{path}.{local_name(child)}" if path else local_name(child)
            if len(child):
                walk(child, name)
            elif child.text and child.text.strip():
                unit = child.get("unit", "")
                leaves.setdefault(name, f"{child.text.strip()} {unit}".strip())

    walk(root, "")
    return leaves


def part(settings: Any, key: str) -> dict[str, Any]:
    """Return an object within JSON, an empty one where there is none of this name."""
    inside = settings.get(key) if isinstance(settings, dict) else None
    return inside if isinstance(inside, dict) else {}


def flatten(settings: dict[str, Any], path: str = "") -> dict[str, Any]:
    """Flatten JSON to ``{"Stage.Position.x": 1e-5}``."""
    flat: dict[str, Any] = {}
    for key, value in settings.items():
        name = f"{path}.{key}" if path else str(key)
        if isinstance(value, dict):
            flat |= flatten(value, name)
        else:
            flat[name] = value
    return flat


def json_safe(value: Any) -> Any:
    """Return a value as JSON can carry it: text keys, lists, finite numbers."""
    if isinstance(value, dict):
        return {str(key): json_safe(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [json_safe(entry) for entry in value]
    if isinstance(value, (str, int, bool)) or value is None:
        return value
    if isinstance(value, float):
        return value if value - value == 0 else None
    return json.loads(json.dumps(value, default=str))
