"""What the codes in servers' words say of an address (RFC 3463)."""

import pytest

from letters import reputation


@pytest.mark.parametrize(("status", "is_bad"), [("5.1.1", True), ("5.1.2", True), ("5.1.8", False), ("5.2.2", False),
                                                ("5.7.1", False), ("4.1.1", False), ("", False)])  # fmt: skip
def test_only_some_codes_speak_of_an_address_that_does_not_exist(status: str, is_bad: bool) -> None:
    assert reputation.is_bad_address(status) is is_bad


@pytest.mark.parametrize(
    ("words", "status"),
    [("5.1.1 no such mailbox", "5.1.1"), (" 4.2.2 full", "4.2.2"), ("5.1.10 null MX", "5.1.10"), ("5.1.8", "5.1.8"),
     ("no such user 5.1.1", ""), ("2011.12.16", ""), ("", "")],
)  # fmt: skip
def test_a_code_is_read_where_words_begin_with_it(words: str, status: str) -> None:
    assert reputation.status_in(words) == status
