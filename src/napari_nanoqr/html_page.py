"""A report as one HTML page that needs no other file."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from typing import NamedTuple

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1f2430; margin: 2rem auto; max-width: 62rem;
  padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: 0; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; vertical-align: top;
  padding: .25rem .75rem .25rem 0; border-bottom: 1px solid #dde1e6; overflow-wrap: anywhere; }
th { font-weight: 600; white-space: nowrap; width: 14rem; }
.pictures { display: flex; flex-wrap: wrap; gap: 1rem; } .pictures img { max-width: 100%; }
.verdict { padding: .6rem .9rem; border-left: .35rem solid; margin: 1rem 0; }
.good { border-color: #009e73; background: #e8f6f1; }
.bad { border-color: #d55e00; background: #fdf0e7; }
.small { color: #5b6472; font-size: .85rem; }
"""


class Picture(NamedTuple):
    """A picture of the page: a PNG or JPEG file, and what it shows."""

    data: bytes
    text: str


class Section(NamedTuple):
    """A part of the page: a table of names and values."""

    title: str
    rows: Sequence[tuple[str, str]]


def page(
    title: str, verdict: str, good: bool, sections: Sequence[Section], pictures: Sequence[Picture]
) -> str:
    """Return a report as HTML.

    Parameters
    ----------
    title : str
        Of the page.
    verdict : str
        The one sentence that counts.
    good : bool
        Whether it is good news.
    sections : sequence of Section
        Tables, in their order.
    pictures : sequence of Picture
        Shown after the verdict; kept inside the page.

    Returns
    -------
    str
        A whole document; all texts are escaped.
    """
    body = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="verdict {"good" if good else "bad"}">{escape(verdict)}</p>',
        '<div class="pictures">',
        *(_image(picture) for picture in pictures),
        "</div>",
    ]
    for section in sections:
        rows = "".join(
            f"<tr><th>{escape(name)}</th><td>{_lines(value)}</td></tr>"
            for name, value in section.rows
        )
        body.append(f"<h2>{escape(section.title)}</h2><table>{rows}</table>")
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>\n"
        f"<body>{chr(10).join(body)}</body></html>\n"
    )


def _image(picture: Picture) -> str:
    return image_tag(picture.data, picture.text)


def image_tag(data: bytes, text: str = "") -> str:
    """Return a PNG or JPEG file as an element of a page.

    Parameters
    ----------
    data : bytes
        The file.
    text : str
        For those who cannot see it.
    """
    kind = "png" if data.startswith(b"\x89PNG") else "jpeg"
    coded = base64.b64encode(data).decode("ascii")
    return f'<img alt="{escape(text)}" src="data:image/{kind};base64,{coded}">'


def _lines(text: str) -> str:
    return escape(text).replace("\n", "<br>")
