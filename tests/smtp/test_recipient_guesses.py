"""Who guesses addresses gets slower, is sent away, and is forgotten when quiet."""

from kaisoumail.smtp.recipient_guesses import RecipientGuesses


def test_a_few_wrong_addresses_cost_nothing_and_many_are_slower_and_slower() -> None:
    guesses = RecipientGuesses()

    delays = [guesses.guess("198.51.100.1", now=0.0) for _ in range(120)]

    assert delays[:50] == [0.0] * 50
    assert delays[50:] == sorted(delays[50:])
    assert delays[60] > 0.9
    assert max(delays) == 5.0


def test_i15_a_client_that_goes_on_guessing_is_refused_until_it_pauses() -> None:
    guesses = RecipientGuesses()
    for _ in range(151):
        guesses.guess("198.51.100.1", now=0.0)

    assert guesses.is_refused("198.51.100.1", now=0.0)
    assert not guesses.is_refused("198.51.100.2", now=0.0)
    assert not guesses.is_refused("198.51.100.1", now=101.0)


def test_a_hundred_thousand_guessing_clients_leave_nothing() -> None:
    guesses = RecipientGuesses(most_clients=100)
    for number in range(100_000):
        guesses.guess(f"client {number}", now=number / 1000)
    assert guesses.clients <= 100

    guesses.guess("the last", now=1000.0)

    assert guesses.clients == 1
