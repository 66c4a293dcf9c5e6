"""How long Cloudflare asks us to wait, within reason."""

import pytest

from kaisoumail.cloudflare.retry_after import seconds_to_wait


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        (" 7 ", 7),
        ("99999999999999", 900),
        ("9" * 5000, 900),
        ("Fri, 01 Jan 2099 00:00:00 GMT", 900),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("Thu, 01 Jan 1970 00:00:00 -0000", 900),
        ("Thu, 01 Jan 99999 00:00:00 GMT", 900),
        ("Thu, 01 Jan 1970 00:00:00 +99999999999999999", 900),
        ("soon", 900),
        ("-5", 900),
        ("1.5", 900),
        ("１２", 900),
        ("", 900),
    ],
)
def test_seconds_or_a_date_up_to_a_quarter_of_an_hour(given: str, seconds: int) -> None:
    assert seconds_to_wait({"retry-after": given}, 900) == seconds


@pytest.mark.parametrize("year", ["1999", "2026", "2098"])
def test_k7_a_date_is_taken_by_the_clock_of_whoever_said_it(year: str) -> None:
    said = {"date": f"Fri, 03 Apr {year} 12:00:00 GMT", "retry-after": f"Fri, 03 Apr {year} 12:02:00 GMT"}

    assert seconds_to_wait(said, 900) == 120
