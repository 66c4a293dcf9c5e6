"""How long Cloudflare asks us to wait, within reason."""

import httpx
import pytest

from kaisoumail.cloudflare.client import _retry_after


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        ("99999999999999", 900),
        ("Fri, 01 Jan 2099 00:00:00 GMT", 900),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("soon", 900),
        ("-5", 900),
        ("１２", 900),
        ("", 900),
    ],
)
def test_seconds_or_a_date_up_to_a_quarter_of_an_hour(given: str, seconds: int) -> None:
    response = httpx.Response(429, headers={b"retry-after": given.encode()})

    assert _retry_after(response, 900) == seconds


@pytest.mark.parametrize("year", ["1999", "2026", "2098"])
def test_k7_a_date_is_taken_by_the_clock_of_whoever_said_it(year: str) -> None:
    said = {"date": f"Fri, 03 Apr {year} 12:00:00 GMT", "retry-after": f"Fri, 03 Apr {year} 12:02:00 GMT"}

    assert _retry_after(httpx.Response(429, headers=said), 900) == 120
