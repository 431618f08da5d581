"""XML files as plain elements that know their line, and text that is safe to write into them.

The parser is Python's own (expat). A document type, which no pattern file has and which is where
entities are declared that grow without end, is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from xml.parsers import expat
from xml.sax.saxutils import escape

from napari_nanoqr.fib.pattern import BadPattern

CHUNK = 1 << 16
"""Bytes that are parsed at a time."""

DEEPEST = 50
"""Elements within one another; pattern files have six."""

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(slots=True)
class Element:
    """One element of a file.

    Parameters
    ----------
    tag : str
        With its prefix, as in the file.
    file : str
        Name of the file, for what is said about it.
    line : int
        At which it begins, counted from 1.
    attributes : dict
        Texts by name.
    text : str
        What stands between its tags, without that of its children.
    children : list of Element
        In order.
    """

    tag: str
    file: str
    line: int
    attributes: dict[str, str]
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def bad(self, what: str) -> BadPattern:
        """Return the complaint that names file, line and element."""
        return BadPattern(f"{self.file}, line {self.line}: {self.tag} {what}")

    def child(self, tag: str) -> Element | None:
        """Return the first child of a name."""
        return next((child for child in self.children if child.tag == tag), None)

    def value(self, name: str) -> str | None:
        """Return an attribute, or else the text of the first child of that name."""
        if name in self.attributes:
            return self.attributes[name].strip()
        child = self.child(name)
        return None if child is None else child.text.strip()

    def number(self, name: str) -> float:
        """Return a number, as :meth:`value` finds it.

        Raises
        ------
        BadPattern
            Where there is none.
        """
        text = self.value(name)
        if text is None:
            raise self.bad(f"has no {name}.")
        return self.to_number(text, name)

    def number_or(self, name: str, default: float) -> float:
        """Return a number, or the default where nothing stands there."""
        text = self.value(name)
        return self.to_number(text, name) if text else default

    def length(self, name: str) -> float:
        """Return a number above 0; see :meth:`number`."""
        found = self.number(name)
        if found <= 0:
            raise self.bad(f"has a {name} of {found:g}, which is not positive.")
        return found

    def numbers(self, name: str, count: int | None = None) -> list[float]:
        """Return numbers that are separated by spaces, so many where a count is given.

        Raises
        ------
        BadPattern
            Where they are not numbers, or not so many. Without a count none is right too.
        """
        text = self.value(name) or ""
        words = text.split()
        if count is not None and len(words) != count:
            raise self.bad(f"has a {name} of {text[:40]!r}, which is not {count} numbers.")
        return [self.to_number(word, name) for word in words]

    def quantity(self, name: str, units: Mapping[str, float]) -> float:
        """Return a number with a unit, in the unit whose factor is 1.

        Parameters
        ----------
        name : str
            Of the attribute or child.
        units : mapping
            The factor of each unit that may stand there.

        Raises
        ------
        BadPattern
            Where there is none, or with another unit.
        """
        text = self.value(name)
        if text is None:
            raise self.bad(f"has no {name}.")
        number, _, unit = text.partition(" ")
        if unit.strip() not in units:
            raise self.bad(f"has a {name} of {text[:40]!r}, which is not in {' or '.join(units)}.")
        return self.to_number(number, name) * units[unit.strip()]

    def to_number(self, text: str, name: str) -> float:
        """Return the number that a text is; ``name`` says what it would be."""
        if not _NUMBER.fullmatch(text) or not abs(float(text)) < 1e30:
            raise self.bad(f"has a {name} of {text[:40]!r}, which is not a number.")
        return float(text)


def parse_xml(data: bytes, file: str, first_line: int = 1) -> Element:
    """Parse an XML file as a whole.

    Parameters
    ----------
    data : bytes
        Its content.
    file : str
        Its name, for what is said about it.
    first_line : int
        Its first line, for XML that stands within a file.

    Returns
    -------
    Element
        Its outermost element.

    Raises
    ------
    BadPattern
        Where it is no XML or is damaged; the message names the line.
    """
    elements = iterate_xml(data, file, first_line)
    root = next(elements)
    root.children = list(elements)
    return root


def iterate_xml(data: bytes, file: str, first_line: int = 1) -> Iterator[Element]:
    """Parse an XML file piece by piece, so that large ones need not be held as a whole.

    Parameters are those of :func:`parse_xml`.

    Yields
    ------
    Element
        First the outermost one, still without its children, then each of these.

    Raises
    ------
    BadPattern
        Where it is no XML or is damaged; the message names the line.
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True
    complete: list[Element] = []
    open_elements: list[Element] = []
    texts: list[list[str]] = [[]]

    def start(tag: str, attributes: dict[str, str]) -> None:
        element = Element(tag, file, first_line - 1 + parser.CurrentLineNumber, attributes)
        if len(open_elements) > DEEPEST:
            raise element.bad("lies deeper than any pattern file goes.")
        if not open_elements:
            complete.append(element)
        open_elements.append(element)
        texts.append([])

    def end(_: str) -> None:
        element = open_elements.pop()
        element.text = "".join(texts.pop())
        if len(open_elements) == 1:
            complete.append(element)
        elif open_elements:
            open_elements[-1].children.append(element)

    def refuse(*_: object) -> None:
        raise BadPattern(
            f"{file}, line {parser.CurrentLineNumber}: a document type does not belong into a "
            "pattern file."
        )

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = lambda text: texts[-1].append(text)
    parser.StartDoctypeDeclHandler = refuse
    for at in range(0, len(data) + 1, CHUNK):
        chunk = data[at : at + CHUNK]
        try:
            parser.Parse(chunk, at + CHUNK > len(data))
        except expat.ExpatError as problem:
            what = expat.ErrorString(problem.code) or "not well-formed"
            raise BadPattern(
                f"{file}, line {first_line - 1 + problem.lineno}: the XML is damaged: {what}."
            ) from problem
        except (ValueError, LookupError) as problem:
            if isinstance(problem, BadPattern):
                raise
            raise BadPattern(
                f"{file} is in an encoding that cannot be read: {problem}."
            ) from problem
        yield from complete
        complete.clear()


def quoted(text: str) -> str:
    """Return a text as an attribute's value in quotes, whatever it holds."""
    breaks = {'"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
    return f'"{escape(_NOT_XML.sub("?", text), breaks)}"'
