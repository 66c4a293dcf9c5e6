"""Where a reader may be sent, and whose forms are taken."""

import pytest

from kaisoumail.web.session import START, own_path


@pytest.mark.parametrize("path", ["/workspace", "/workspace?mailbox=mbx_1&message=msg_2", "/domains?details=dom_1"])
def test_a_path_of_ours_is_kept(path: str) -> None:
    assert own_path(path) == path


@pytest.mark.parametrize(
    "path",
    ["", "https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil", "javascript:alert(1)",
     "/a\r\nset-cookie: x=1", "/a b", "/ä", "workspace", "/\t/evil.example"],
)  # fmt: skip
def test_every_other_way_leads_to_the_start(path: str) -> None:
    assert own_path(path) == START
