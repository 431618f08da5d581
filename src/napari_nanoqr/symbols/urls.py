"""URLs in capital letters, which take less room in a symbol."""

from __future__ import annotations

import re

from napari_nanoqr.symbols.micro import micro_syntax
from napari_nanoqr.symbols.segments import shortest_segments, stream_length
from napari_nanoqr.symbols.syntax import qr_syntax

_SCHEMES = ("http", "https", "ftp", "ws", "wss")
"""Of others the host may tell capital letters apart (WHATWG URL Standard, opaque hosts)."""

# scheme, userinfo, host and port, and all after them (RFC 3986, appendix B); whitespace and
# control characters stand in no URL
_URL = re.compile(r"(?P<scheme>[a-z]+://)(?P<user>[^/?#@\s]*@)?(?P<host>[^/?#@\s]+)(?P<rest>\S*)",
                  re.ASCII | re.IGNORECASE)  # fmt: skip

_ENCODED = re.compile(r"%[0-9a-f]{2}", re.ASCII | re.IGNORECASE)


def upper_case_url(text: str) -> str:
    """Return the form of a URL that means the same and has as many capital letters as may be.

    Capital letters, digits and ``$%*+-./:`` fit into the alphanumeric mode, at 5.5 bits each
    instead of 8. Scheme and host do not tell capital letters apart (RFC 3986, 3.1 and 3.2.2), nor
    do the digits of percent-encoded bytes (2.1); user, path, query and fragment do, and stay.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str
        The other form; the text as it is where it is no URL (http, https, ftp, ws, wss), or where
        no symbol's bit stream would become shorter.

    Examples
    --------
    >>> upper_case_url("https://example.org")
    'HTTPS://EXAMPLE.ORG'
    >>> upper_case_url("https://example.org/Pub/caf%c3%a9")
    'HTTPS://EXAMPLE.ORG/Pub/caf%C3%A9'
    """
    parts = _URL.fullmatch(text)
    if parts is None or parts["scheme"].removesuffix("://").lower() not in _SCHEMES:
        return text
    user, rest = (_ENCODED.sub(_upper, parts[name] or "") for name in ("user", "rest"))
    # the zone of an address in brackets names a network device, case and all (RFC 6874)
    zoned = "[" in parts["host"] and "%" in parts["host"]
    host = parts["host"] if zoned else _ascii_upper(parts["host"])
    upper = _ascii_upper(parts["scheme"]) + user + host + rest
    # in short streams a change of mode costs less
    for syntax in (qr_syntax(1), micro_syntax("M4")):
        before, after = (
            stream_length(shortest_segments(form, syntax), syntax) for form in (text, upper)
        )
        if after < before:
            return upper
    return text


def _upper(found: re.Match[str]) -> str:
    return found[0].upper()


def _ascii_upper(text: str) -> str:
    """Leave letters as they are that have no place in a host's name, such as ß."""
    return "".join(c.upper() if c.isascii() else c for c in text)
