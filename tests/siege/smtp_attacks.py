"""Attacks by SMTP: on Postfix and aiosmtpd they are run as they stand here."""

import asyncio
from typing import Final

from tests.siege.attacker import Attack, Client, Refused

_LARGEST: Final = 26_214_400
_FULL: Final = b"x" * 65536
_TEXT: Final = (b"y" * 76 + b"\r\n") * 800
_HEADER: Final = b"Subject: an attack\r\n\r\n"
_LONG: Final = 3600.0


async def chunks_are_announced_and_never_sent(client: Client) -> None:
    """BDAT of as much as one message may have, and silence."""
    async with client.smtp() as connection:
        await connection.envelope(client.target.recipient)
        await connection.send(f"BDAT {_LARGEST}\r\n".encode())
        await connection.until_closed()


async def messages_are_never_ended(client: Client) -> None:
    """DATA with line after line, and no dot."""
    async with client.smtp() as connection:
        await connection.envelope(client.target.recipient)
        await connection.command(b"DATA")
        await connection.endless(_TEXT)


async def messages_stop_before_their_last_dot(client: Client) -> None:
    """All of a message of 20 MB but its end, then silence."""
    async with client.smtp() as connection:
        await connection.envelope(client.target.recipient)
        await connection.command(b"DATA")
        for _ in range(320):
            await connection.send(_TEXT)
        await connection.until_closed()


async def messages_come_byte_by_byte(client: Client) -> None:
    """DATA of one byte in half a second."""
    async with client.smtp() as connection:
        await connection.envelope(client.target.recipient)
        await connection.command(b"DATA")
        await connection.slowly(_TEXT, 0.5)


async def one_line_of_a_message_never_ends(client: Client) -> None:
    """DATA of one line."""
    async with client.smtp() as connection:
        await connection.envelope(client.target.recipient)
        await connection.command(b"DATA")
        await connection.endless(_FULL)


async def one_header_of_a_message_has_20_megabytes(client: Client) -> None:
    """A whole message whose subject is folded over and over."""
    async with client.smtp() as connection:
        await connection.message(
            [client.target.recipient], b"Subject: a", *[b"\r\n folded" * 2_500] * 1000, b"\r\n\r\nx"
        )


async def one_command_line_never_ends(client: Client) -> None:
    """A command without an end of line."""
    async with client.smtp() as connection:
        await connection.send(b"EHLO ")
        await connection.endless(_FULL)


async def one_command_has_an_argument_of_three_kilobytes(client: Client) -> None:
    """EHLO with as much behind it as a line may have, again and again."""
    async with client.smtp() as connection:
        while True:
            await connection.command(b"EHLO " + b"e" * 3000)


async def nothing_but_noop_and_rset_is_said(client: Client) -> None:
    """Commands that do nothing, one after the other's reply."""
    async with client.smtp() as connection:
        while True:
            await connection.command(b"NOOP")
            await connection.command(b"RSET")


async def commands_are_pipelined_and_replies_not_read(client: Client) -> None:
    """10,000 commands at a time, and no reply is ever taken."""
    async with client.connection(client.target.smtp_port, reads=False) as connection:
        await connection.endless(b"NOOP\r\n" * 10_000)


async def recipients_are_guessed(client: Client) -> None:
    """One RCPT after the other that is for nobody, a hundred in each packet."""
    async with client.smtp() as connection:
        await connection.command(b"MAIL FROM:<stranger@attack.example>")
        while True:
            guesses = [f"RCPT TO:<guess{client.number()}@mail.customer.com>\r\n" for _ in range(100)]
            await connection.send("".join(guesses).encode())
            for _ in guesses:
                await connection.reply()


async def recipients_are_guessed_over_new_connections(client: Client) -> None:
    """Three guesses, then another connection."""
    async with client.smtp() as connection:
        await connection.envelope(*(f"guess{client.number()}@mail.customer.com" for _ in range(3)))


async def connections_are_held_and_say_nothing(client: Client) -> None:
    """Connected, not even greeted."""
    async with client.connection(client.target.smtp_port) as connection:
        await connection.until_closed()


async def connections_are_opened_and_closed_before_the_greeting(client: Client) -> None:
    """As many as go: connect, and away."""
    for _ in range(20):
        async with client.connection(client.target.smtp_port):
            pass


async def commands_come_byte_by_byte(client: Client) -> None:
    """A command of one byte in half a second."""
    async with client.connection(client.target.smtp_port) as connection:
        await connection.slowly(b"EHLO " + b"e" * 4000, 0.5)


async def _starttls_asked(client: Client, then: bytes) -> None:
    async with client.connection(client.target.smtp_port) as connection:
        await connection.reply()
        await connection.command(b"EHLO attack.example")
        if await connection.command(b"STARTTLS") != 220:
            raise Refused("STARTTLS")
        await connection.send(then)
        await connection.until_closed()


async def starttls_is_asked_for_and_no_hello_sent(client: Client) -> None:
    """The server waits for a handshake."""
    await _starttls_asked(client, b"")


async def starttls_is_followed_by_plain_text(client: Client) -> None:
    """The handshake fails; each failure may cost a traceback in the log (K12)."""
    await _starttls_asked(client, b"EHLO in.clear\r\nMAIL FROM:<>\r\n" * 10)


async def starttls_is_followed_by_half_a_hello(client: Client) -> None:
    """A TLS record that announces more than it brings."""
    await _starttls_asked(client, b"\x16\x03\x01\x40\x00\x01\x00\x3f\xfc\x03\x03" + b"\0" * 100)


async def handshakes_are_made_again_and_again(client: Client) -> None:
    """A whole handshake, then another connection: the dearest thing a stranger may ask for in a few bytes."""
    async with client.connection(client.target.smtp_port) as connection:
        await connection.reply()
        await connection.command(b"EHLO attack.example")
        if await connection.command(b"STARTTLS") != 220:
            raise Refused("STARTTLS")
        await connection.start_tls()


async def transactions_are_begun_and_reset(client: Client) -> None:
    """MAIL and RCPT for somebody who is there, then RSET."""
    async with client.smtp() as connection:
        while True:
            await connection.envelope(client.target.recipient)
            await connection.command(b"RSET")


async def chunks_have_a_single_byte(client: Client) -> None:
    """BDAT 1, over and over, in one message."""
    async with client.smtp() as connection:
        await connection.envelope(client.target.recipient)
        while True:
            await connection.send(b"BDAT 1\r\nx" * 100)
            for _ in range(100):
                await connection.reply()


async def empty_messages_are_sent_in_chunks(client: Client) -> None:
    """BDAT 0 LAST: the smallest message there is, as many as go."""
    async with client.smtp() as connection:
        while True:
            await connection.envelope(client.target.recipient)
            await connection.command(b"BDAT 0 LAST")


async def messages_are_made_of_dots(client: Client) -> None:
    """20 MB of lines that begin with a dot."""
    async with client.smtp() as connection:
        await connection.message([client.target.recipient], _HEADER, *[b"..\r\n" * 15_000] * 333)


async def messages_are_made_of_empty_lines(client: Client) -> None:
    """20 MB of CR LF."""
    async with client.smtp() as connection:
        await connection.message([client.target.recipient], _HEADER, *[b"\r\n" * 30_000] * 333)


async def the_largest_messages_go_to_nobody(client: Client) -> None:
    """25 MB behind a refused RCPT, sent all the same."""
    async with client.smtp() as connection:
        await connection.envelope("nobody-has-this@mail.customer.com")
        await connection.send(b"DATA\r\n")
        for _ in range(400):
            await connection.send(_TEXT)
        await connection.send(b".\r\n")
        await connection.until_closed()


async def the_largest_messages_go_to_a_hundred(client: Client) -> None:
    """25 MB for a hundred recipients."""
    async with client.smtp() as connection:
        await connection.message(client.target.recipients, client.field(), _HEADER, *[_TEXT] * 400)


async def the_largest_messages_go_to_one(client: Client) -> None:
    """25 MB each, for somebody who is there."""
    async with client.smtp() as connection:
        await connection.message([client.target.recipient], client.field(), _HEADER, *[_TEXT] * 400)


async def small_messages_are_sent_as_fast_as_they_go(client: Client) -> None:
    """Ordinary in all but their number."""
    async with client.smtp() as connection:
        while True:
            await connection.message(
                [client.target.recipient], _HEADER, f"Hello {id(client)} {client.number()}.".encode()
            )


async def messages_end_with_a_reset(client: Client) -> None:
    """A megabyte of DATA, and a RST in its middle."""
    async with client.smtp() as connection:
        await connection.envelope(client.target.recipient)
        await connection.command(b"DATA")
        await connection.send(_TEXT * 16)
        connection.reset()


async def senders_close_their_half_in_a_message(client: Client) -> None:
    """FIN in the middle of DATA, and the other half stays open."""
    async with client.connection(client.target.smtp_port) as connection:
        await connection.reply()
        await connection.command(b"EHLO attack.example")
        await connection.envelope(client.target.recipient)
        await connection.command(b"DATA")
        await connection.send(_TEXT)
        connection.half_close()
        await asyncio.sleep(_LONG)


async def connections_speak_http(client: Client) -> None:
    """A request of a browser to the SMTP port (a form on a page can send it)."""
    async with client.connection(client.target.smtp_port) as connection:
        await connection.endless(b"POST / HTTP/1.1\r\nhost: mail\r\n\r\nEHLO a\r\n" * 20)


ATTACKS: Final = (
    Attack(chunks_are_announced_and_never_sent, 11, finding="I3"),
    Attack(messages_are_never_ended, 16, 200),
    Attack(messages_stop_before_their_last_dot, 16, 800, finding="I3"),
    Attack(messages_come_byte_by_byte, finding="I3"),
    Attack(one_line_of_a_message_never_ends, 16, 200),
    Attack(one_header_of_a_message_has_20_megabytes, 4, 200),
    Attack(one_command_line_never_ends, 16, 200),
    Attack(one_command_has_an_argument_of_three_kilobytes),
    Attack(nothing_but_noop_and_rset_is_said),
    Attack(commands_are_pipelined_and_replies_not_read),
    Attack(recipients_are_guessed, finding="I15"),
    Attack(recipients_are_guessed_over_new_connections, finding="I15"),
    Attack(connections_are_held_and_say_nothing),
    Attack(connections_are_opened_and_closed_before_the_greeting),
    Attack(commands_come_byte_by_byte),
    Attack(starttls_is_asked_for_and_no_hello_sent),
    Attack(starttls_is_followed_by_plain_text, finding="K12"),
    Attack(starttls_is_followed_by_half_a_hello, finding="K12"),
    Attack(handshakes_are_made_again_and_again),
    Attack(transactions_are_begun_and_reset),
    Attack(chunks_have_a_single_byte),
    Attack(empty_messages_are_sent_in_chunks),
    Attack(messages_are_made_of_dots, 4, 200),
    Attack(messages_are_made_of_empty_lines, 4, 200),
    Attack(the_largest_messages_go_to_nobody, 16, 200),
    Attack(the_largest_messages_go_to_a_hundred, 4, 200),
    Attack(the_largest_messages_go_to_one, 16, 200),
    Attack(small_messages_are_sent_as_fast_as_they_go),
    Attack(messages_end_with_a_reset, 16, 200),
    Attack(senders_close_their_half_in_a_message),
    Attack(connections_speak_http),
)
