"""URLs in capital letters: the same address, in fewer bits."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_nanoqr.symbols.candidates import candidates
from napari_nanoqr.symbols.urls import upper_case_url


@pytest.mark.parametrize(
    ("url", "upper"),
    [
        ("https://tuwien.at", "HTTPS://TUWIEN.AT"),
        ("https://www.tuwien.at/en/News", "HTTPS://WWW.TUWIEN.AT/en/News"),
        ("http://me:Pw@host.org:80/a?b=c#d", "HTTP://me:Pw@HOST.ORG:80/a?b=c#d"),
        ("https://example.org/caf%c3%a9", "HTTPS://EXAMPLE.ORG/caf%C3%A9"),
        ("https://example.org?q=a@b", "HTTPS://EXAMPLE.ORG?q=a@b"),
        ("wss://[2001:db8::1]:8080", "WSS://[2001:DB8::1]:8080"),
        ("ws://[fe80::1%25eth0]", "WS://[fe80::1%25eth0]"),
        ("https://straße.example.org/", "HTTPS://STRAßE.EXAMPLE.ORG/"),
    ],
)
def test_scheme_and_host_become_capitals_and_the_rest_stays(url: str, upper: str) -> None:
    assert upper_case_url(url) == upper


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no url at all",
        "www.example.org",
        "mailto:someone@example.org",
        "myapp://Door/open",
        "see https://example.org",
        "https://example.org and more",
        "https:///path/only",
        "HTTPS://EXAMPLE.ORG",
        "HTTPS://EXAMPLE.ORG/lower",
    ],
)
def test_what_is_no_url_or_gains_nothing_stays_as_it_is(text: str) -> None:
    assert upper_case_url(text) == text


HOSTS = st.from_regex(r"[A-Za-z0-9-]{1,12}(\.[a-z]{2,5}){0,2}(:[0-9]{1,4})?", fullmatch=True)
PATHS = st.from_regex(r"(/([A-Za-z0-9._~!@:-]|%[0-9a-fA-F]{2}){0,8}){0,3}(\?[a-zA-Z=&]{0,9})?",
                      fullmatch=True)  # fmt: skip


@given(scheme=st.sampled_from(["http", "https", "Ftp"]), host=HOSTS, path=PATHS)
def test_the_address_is_the_same(scheme: str, host: str, path: str) -> None:
    url = f"{scheme}://{host}{path}"
    upper = upper_case_url(url)
    before, after = urlsplit(url), urlsplit(upper)
    assert (after.scheme, after.hostname, after.port) == (
        before.scheme, before.hostname, before.port
    )  # fmt: skip
    assert unquote(after.path, errors="surrogateescape") == unquote(
        before.path, errors="surrogateescape"
    )
    assert (after.query, after.fragment) == (before.query, before.fragment)
    assert candidates(upper)[0].modules <= candidates(url)[0].modules


def test_a_smaller_symbol_holds_it() -> None:
    url = "https://www.tuwien.at"
    assert candidates(url)[0].modules > 17 * 17
    assert candidates(upper_case_url(url))[0].modules == 17 * 17
