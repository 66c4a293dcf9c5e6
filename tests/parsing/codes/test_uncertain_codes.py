"""What may be the code of a mail in which the rules find none."""

from kaisoumail.model.code import UncertainCode
from kaisoumail.parsing.codes.find import MAX_EVIDENCE, MAX_UNCERTAIN_CODES, decide


def _codes(subject: str, text: str | None = None, html: str | None = None) -> tuple[UncertainCode, ...]:
    return decide(subject, text, html).uncertain_codes


def test_two_codes_with_one_name_are_both_in_doubt_each_with_the_words_around_it() -> None:
    text = "Your verification codes are 551177 and 662288. Use the latest one."

    assert _codes("Verification request", text) == (
        UncertainCode("551177", "body", text[:84], "verification codes"),
        UncertainCode("662288", "body", text, "verification codes"),
    )


def test_nothing_is_in_doubt_where_a_code_is_found() -> None:
    assert _codes("Your verification code is 842911", "Your login code is 551177. Your access code is 662288.") == ()


def test_what_nothing_speaks_for_is_not_in_doubt() -> None:
    assert _codes("Weekend sale", "Use code 123456 to save 20 %. Order 778899 has left us.") == ()
    assert _codes("Spec review notes", "We meet in room 4711 at 10:30.") == ()


def test_a_candidate_in_text_and_html_is_in_doubt_once() -> None:
    text = "Your login code is 842911. Your login code is 551177."

    assert [each.code for each in _codes("Hello", text, f"<p>Hello</p><p>{text}</p>")] == [
        "842911",
        "551177",
    ]


def test_a_long_list_of_codes_is_cut_and_so_is_what_stands_around_each() -> None:
    codes = [
        f"Here is your login code, it is {'x' * 30}: {number} for {'y' * 80}.\n" for number in range(100100, 100130)
    ]

    found = _codes("Codes", "".join(codes))

    assert 1 < len(found) <= MAX_UNCERTAIN_CODES
    assert all(each.code in each.evidence and len(each.evidence) <= MAX_EVIDENCE for each in found)
