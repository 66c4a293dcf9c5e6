"""Runs of combining marks, zero-width and direction characters are cut wherever text comes from; writing is not."""

import sys
import unicodedata
from base64 import b64encode
from itertools import cycle, islice
from urllib.parse import quote

import pytest

from kaisoumail.parsing.character_runs import MAX_FORMATS, MAX_MARKS, without_long_runs
from kaisoumail.parsing.charsets import decode
from kaisoumail.parsing.codes.reading import AnalyzedText
from kaisoumail.parsing.html_text import text_of
from kaisoumail.parsing.mime import parse
from kaisoumail.parsing.preview import preview_of
from kaisoumail.parsing.sanitize import safe_html
from tests.builders import an_email

MARKS = "\u0301\u0316"  # above and below: each pair has to be put in order
WRITING = {
    "Thai": "รหัสยืนยันของคุณคือ น้ำผึ้ง ก็ได้ที่นี่ 482913",
    "Vietnamese, decomposed": unicodedata.normalize("NFD", "Mã xác thực của bạn là 482913, Nguyễn Đặng Trường"),
    "Hindi": "आपका सत्यापन कोड 482913 है, र्क्ष्म्य स्त्र्यँः",
    "Arabic with vowel signs": "رَمْزُ التَّحَقُّقِ الخَاصُّ بِكَ هُوَ ٱللَّٰهُمَّ",
    "Hebrew with points and accents": "בְּרֵאשִׁ֖ית בָּרָ֣א אֱלֹהִ֑ים יְרוּשָׁלִַ֗ם",
    "Tibetan": "བསྒྲུབས་ཀྱི་རྫོགས་ཧཱུྃ༔",
    "Persian with joiners": "می\u200cخواهم نمی\u200cدانم",
    "emoji joined": "👩‍❤️‍💋‍👨 👨‍👩‍👧‍👦 🏳️‍⚧️ 🧑🏽‍🚀" * 5,
    "flags of regions": "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f" * 20,
    "flags of countries": "🇩🇪🇫🇷🇨🇳" * 20,
    "a keypad": "1️⃣2️⃣3️⃣" * 20,
    "a rule and symbols": "═" * 100 + "★☆" * 40 + "😀" * 100,
    "ideographs with variants": "葛\U000e0100飾区 葛󠄁城市",
    "Zalgo of a modest kind": "H" + MARKS * (MAX_MARKS // 2) + "i",
}


def _mail(kind: str, run: str) -> bytes:
    """A mail with *run* where strangers may write, a letter on both sides of it."""
    text = f"a{run}b"
    word = f"=?utf-8?b?{b64encode(text.encode()).decode()}?="
    match kind:
        case "the subject":
            return an_email(subject=text, text="x")
        case "the subject, encoded":
            return f"Subject: {word}\r\n\r\nx".encode()
        case "the subject, in words of several charsets":
            some = (f"=?utf-{width}?b?{b64encode(piece).decode()}?=" for width, piece in _pieces(run))
            return f"Subject: a{' '.join(some)}b\r\n\r\nx".encode()
        case "a name":
            return f'From: "{text}" <a@b.test>\r\n\r\nx'.encode()
        case "the text":
            return an_email(subject="s", text=text)
        case "HTML":
            return b"Subject: s\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>" + text.encode()
        case "a filename":
            return (
                f"Subject: s\r\nContent-Disposition: attachment; filename*=utf-8''{quote(text)}\r\n"
                "Content-Type: application/pdf\r\n\r\nx"
            ).encode()
    raise AssertionError(kind)


def _pieces(run: str) -> list[tuple[int, bytes]]:
    return [
        (width, run[at : at + 20].encode("utf-8" if width == 8 else "utf-16-le"))
        for width, at in zip(cycle((8, 16)), range(0, len(run), 20), strict=False)
    ]


def _all_text(raw: bytes) -> str:
    parsed = parse(raw)
    names = [each.filename for each in parsed.attachments] + [parsed.subject, parsed.from_name]
    bodies = [parsed.text, parsed.html, parsed.raw_from, preview_of(parsed.text, parsed.html)]
    return "\n".join(text for text in [*names, *bodies, *(header.value for header in parsed.headers)] if text)


def _longest_run(text: str, of: str) -> int:
    longest = run = 0
    for character in text:
        category = unicodedata.category(character)
        run = run + category.startswith(of) if category[0] == "M" or category == "Cf" else 0
        longest = max(longest, run)
    return longest


@pytest.mark.parametrize("language", WRITING)
def test_writing_is_left_as_it_is(language: str) -> None:
    text = WRITING[language]

    assert without_long_runs(text) == text
    assert decode(text.encode(), "utf-8") == text
    assert parse(an_email(subject="s", text=text)).text == text + "\n"


@pytest.mark.parametrize("unit", [MARKS, MARKS + "\u200d", "\u0301", "\u0301\u034f", "\u0316\u202e\u0301", "\ufe0f"])
@pytest.mark.parametrize(
    "kind",
    [
        "the subject",
        "the subject, encoded",
        "the subject, in words of several charsets",
        "a name",
        "the text",
        "HTML",
        "a filename",
    ],
)
def test_a_run_of_marks_is_cut_wherever_it_stands(kind: str, unit: str) -> None:
    raw = _mail(kind, "".join(islice(cycle(unit), 180)))

    text = _all_text(raw)

    assert 0 < _longest_run(text, "M") <= MAX_MARKS


@pytest.mark.parametrize("unit", ["\u200b", "\u200d\u200c", "\u202a\u202c", "\u2066", "\U000e0041", "\u00ad", "\ufeff"])
@pytest.mark.parametrize("kind", ["the subject", "the subject, encoded", "a name", "the text", "HTML", "a filename"])
def test_a_run_of_zero_width_and_direction_characters_is_cut_wherever_it_stands(kind: str, unit: str) -> None:
    text = _all_text(_mail(kind, unit * 120))

    assert _longest_run(text, "Cf") <= MAX_FORMATS


@pytest.mark.parametrize("between", ["", "\u200b", "&#8203;", "\u115f", "&shy;&#x34f;", "<b>", "</i>", "<!-- -->"])
def test_marks_that_only_html_brings_together_are_cut_before_they_are_normalised(between: str) -> None:
    """Its entities, its tags and what shows nothing are gone by the time the marks meet."""
    markup = "<p>a" + f"&#x301;{between}\u0316{between}" * 100 + "b"

    shown = text_of(markup)

    assert _longest_run(shown, "M") <= MAX_MARKS
    assert len(AnalyzedText.of_shown(shown).text) <= MAX_MARKS + 2


def test_marks_that_only_hidden_characters_divide_are_cut_before_they_are_normalised() -> None:
    reading = AnalyzedText.of("text", "a" + "\u0301\u200b\u0316\u115f" * 100 + "b")

    assert len(reading.text) <= MAX_MARKS + 2


def test_every_mark_and_every_format_character_of_unicode_is_counted() -> None:
    characters = [chr(point) for point in range(sys.maxunicode + 1)]
    marks = [each for each in characters if unicodedata.category(each)[0] == "M"]
    formats = [each for each in characters if unicodedata.category(each) == "Cf"]

    assert without_long_runs("".join(marks)) == "".join(marks[:MAX_MARKS])
    assert [each for each in formats if len(without_long_runs(each * 40)) != MAX_FORMATS] == []
    assert all(unicodedata.category(each)[0] == "M" for each in characters if unicodedata.combining(each))


def test_html_is_shown_without_the_runs_that_its_entities_stand_for() -> None:
    shown = safe_html("<p>a" + "&#x301;&#x316;" * 100 + "b" + "&#x200b;" * 100 + "</p>").html

    assert _longest_run(shown, "M") == MAX_MARKS
    assert _longest_run(shown, "Cf") == MAX_FORMATS
