"""Which mails the quick reader is trusted with."""

import pytest

from kaisoumail.parsing.fast_tree import fast_tree

DASHES = b"--x\r\n" * 20_000  # more than any mail has that is worth reading quickly


@pytest.mark.parametrize(
    "fields", [b"", b"content-type: text/plain\r\n", b"content-type: text/html; charset=utf-8\r\n"], ids=repr
)
def test_a_mail_that_is_one_text_is_read_whatever_its_body_looks_like(fields: bytes) -> None:
    tree = fast_tree(fields, DASHES + b"multipart/mixed =?utf-8?q?=41?= " * 1_000, 0)

    assert tree is not None
    assert tree.root.children == []
    assert tree.root.size == len(DASHES) + 32_000


@pytest.mark.parametrize(
    "content_type",
    [
        b"multipart/mixed; boundary=x",
        b"message/rfc822",
        b"text/plain-ish",
        b'text/plain; name="=?utf-8?q?multipart?="',
        b"=?utf-8?q?multipart/mixed?=; boundary=x",
    ],
    ids=repr,
)
def test_a_mail_that_may_be_more_is_not_where_it_would_be_dear(content_type: bytes) -> None:
    assert fast_tree(b"content-type: " + content_type + b"\r\n", DASHES, 0) is None
