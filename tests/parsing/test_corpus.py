"""Every mail of the corpus is read as its table says."""

import pytest

from kaisoumail.parsing.mime import find_attachment, parse
from tests.parsing.corpus import ALL, ANYTHING, Case, File


@pytest.mark.parametrize("case", ALL, ids=lambda case: case.name)
def test_a_mail_is_read_as_its_table_says(case: Case) -> None:
    parsed = parse(case.raw)

    assert parsed.status == case.status, parsed.defects
    read = {
        "subject": parsed.subject,
        "sender": (parsed.from_name, parsed.from_address),
        "text": parsed.text,
        "html": parsed.html,
        "defects": parsed.defects,
    }
    wanted = {name: getattr(case, name) for name in read if getattr(case, name) is not ANYTHING}
    assert {name: read[name] for name in wanted} == wanted
    if case.files is not ANYTHING:
        assert [_listed(case.raw, number) for number in range(len(parsed.attachments))] == list(case.files)


def _listed(raw: bytes, number: int) -> File:
    found = find_attachment(raw, number)
    assert found is not None
    listed, content = found
    assert listed == parse(raw).attachments[number]
    assert listed.size_bytes == len(content)
    return File(listed.filename, listed.content_type, content, listed.disposition, listed.content_id)
