"""Damaged mails: the corpus cut, spliced and flipped. Whatever comes, the answer has the promised form."""

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaisoumail.model.address import is_email
from kaisoumail.parsing.authentication import authentication_of
from kaisoumail.parsing.codes.find import find_code
from kaisoumail.parsing.mime import find_attachment, parse
from kaisoumail.parsing.parsed_message import ParsedMessage
from kaisoumail.parsing.preview import preview_of
from kaisoumail.parsing.sanitize import safe_html
from tests.parsing.corpus import ALL

SEEDS = [case.raw for case in ALL if len(case.raw) < 20_000]
MUTANTS = 40  # of each seed of the random numbers
_UNPRINTABLE = re.compile("[\x00-\x08\x0e-\x1f\x7f]")


def _check(raw: bytes) -> None:
    """Reads *raw* in every way the product does, and holds what comes out against the shapes of the API."""
    parsed = parse(raw)
    found = find_code(parsed.subject, parsed.text, parsed.html)
    preview = preview_of(parsed.text, parsed.html)
    safe = safe_html(parsed.html or "")
    authentication_of(parsed.headers)

    assert "structure_unreadable" not in parsed.defects
    assert found is None or re.fullmatch(r"[A-Za-z0-9]{4,8}", found.code)
    assert 0 < len(preview) <= 140
    assert not re.search(r"<(script|style|iframe|form|object|embed|link|meta|base)\b", safe.html, re.IGNORECASE)
    for text in (*_texts(parsed), preview, safe.html):
        assert "\0" not in text
        text.encode()
    _check_lengths(parsed)
    for number, attachment in enumerate(parsed.attachments[:5]):
        again = find_attachment(raw, number)
        assert again is not None
        assert again[0] == attachment
        assert len(again[1]) == attachment.size_bytes


def _texts(parsed: ParsedMessage) -> list[str]:
    texts = [parsed.subject, parsed.from_name, parsed.raw_from, parsed.message_id, parsed.text, parsed.html]
    texts += [text for header in parsed.headers for text in (header.key, header.value)]
    texts += [recipient.name for recipient in parsed.recipients]
    texts += [
        text for each in parsed.attachments for text in (each.filename, each.content_type, each.content_id)
    ]  # fmt: skip
    return [text for text in texts if text is not None]


def _check_lengths(parsed: ParsedMessage) -> None:
    assert 0 < len(parsed.subject) <= 998
    assert len(parsed.from_name or "") <= 256
    assert parsed.from_address is None or is_email(parsed.from_address)
    assert all(is_email(recipient.address) for recipient in parsed.recipients)
    for attachment in parsed.attachments:
        assert len(attachment.filename or "") <= 255
        assert not re.search(r"[/\\]", attachment.filename or "")
        assert not _UNPRINTABLE.search((attachment.filename or "") + (attachment.content_id or ""))
        assert re.fullmatch(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+", attachment.content_type)


def _damaged(raw: bytes, chance: random.Random) -> bytes:
    mutant = bytearray(raw)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(mutant) + 1)
        until = min(len(mutant), at + chance.choice((0, 1, 3, 40)))
        match chance.randrange(4):
            case 0:
                mutant[at:until] = b""
            case 1:
                mutant[at:until] = chance.randbytes(chance.randint(0, 4))
            case 2:
                other = chance.choice(SEEDS)
                begin = chance.randrange(len(other) + 1)
                mutant[at:until] = other[begin : begin + 200]
            case _:
                mutant[at:at] = mutant[at:until] * chance.randint(1, 5)
    return bytes(mutant)


@pytest.mark.parametrize("seed", range(25))
def test_a_damaged_mail_of_the_corpus_is_read_in_the_promised_form(seed: int) -> None:
    chance = random.Random(seed)

    for _ in range(MUTANTS):
        _check(_damaged(chance.choice(SEEDS), chance))


@given(st.sampled_from(SEEDS), st.integers(0, 20_000), st.sampled_from(SEEDS), st.integers(0, 20_000))
def test_two_mails_spliced_anywhere_are_read_in_the_promised_form(
    one: bytes, until: int, other: bytes, since: int
) -> None:
    _check(one[:until] + other[since % (len(other) + 1) :])


@given(st.binary(max_size=2000))
def test_any_bytes_are_read_in_the_promised_form(raw: bytes) -> None:
    _check(raw)


@given(st.text(max_size=400))
def test_any_html_is_read_in_the_promised_form(html: str) -> None:
    _check(b"Subject: s\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + html.encode())
