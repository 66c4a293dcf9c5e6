"""Problems survive being stored, and each code is answered."""

import pickle
import re
from pathlib import Path

from kaisoumail.errors import CODES, InvalidValue, Problem

SOURCE = Path(__file__).parents[2] / "src" / "kaisoumail"


def test_a_problem_comes_back_from_storage_as_it_went_in() -> None:
    problem = Problem("domain_exists", "Mailbox domain already exists", rootDomain="demo.example")

    back = pickle.loads(pickle.dumps(problem))

    assert (back.code, back.message, back.details) == (problem.code, problem.message, problem.details)


def test_an_invalid_value_comes_back_with_its_name_and_the_reason() -> None:
    problem = InvalidValue("domain name", "leave out the dot at its edge")

    back = pickle.loads(pickle.dumps(problem))

    assert (type(back), back.value, back.reason) == (InvalidValue, problem.value, problem.reason)


def test_every_code_that_is_raised_stands_in_the_table() -> None:
    raised = set()
    for path in SOURCE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        raised |= set(re.findall(r"""Problem\(\s*"([a-z_]+)\"""", text))
        raised |= set(re.findall(r"""problem_code(?:: ClassVar\[str\])? = "([a-z_]+)\"""", text))

    assert raised
    assert raised <= CODES.keys()


def test_every_code_of_the_table_is_raised_or_answered_somewhere() -> None:
    only_about_codes = {SOURCE / name for name in ("errors.py", "api/description.py", "http/guide_links.py")}
    text = "".join(path.read_text(encoding="utf-8") for path in set(SOURCE.rglob("*.py")) - only_about_codes)

    assert {code for code in CODES if f'"{code}"' not in text} == set()


def test_smtp_says_try_again_exactly_for_what_may_pass() -> None:
    for code, kind in CODES.items():
        if kind.retry:
            assert kind.smtp.startswith("4"), code
