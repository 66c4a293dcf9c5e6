"""The ceremonies without a door, where time and rows can be moved by hand; on both databases."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, select, update

from kaisoumail.errors import Problem
from kaisoumail.model.passkey import CHALLENGE_LIFETIME, Passkey
from kaisoumail.model.user import RequestClient
from kaisoumail.operations.passkeys import (
    finish_registration,
    finish_sign_in,
    revoke_passkey,
    start_registration,
    start_sign_in,
)
from kaisoumail.operations.sign_in import NewSession, start_session, viewer_with_session
from kaisoumail.storage.engine.schema import challenges, users
from kaisoumail.workflows.context import Context
from tests.authenticator import Authenticator
from tests.contexts import a_context
from tests.database_clock import DatabaseClock
from tests.people import ADA, NOON

ORIGIN = "https://mail.example.com"
Story = Callable[["Stage"], Awaitable[None]]


@dataclass
class Stage:
    """A process, Ada's device, and the clock of the database."""

    context: Context
    device: Authenticator
    clock: DatabaseClock

    async def registered(self) -> Passkey:
        asked = await start_registration(self.context, ADA, "Laptop", ORIGIN)
        return await finish_registration(self.context, ADA, asked.token, self.device.create(asked.options))

    async def signed_in(self) -> NewSession:
        asked = await start_sign_in(self.context, ORIGIN)
        return await finish_sign_in(self.context, asked.token, self.device.get(asked.options), RequestClient())


@asynccontextmanager
async def _stage(folder: Path, database_url: str, clock: DatabaseClock) -> AsyncIterator[Stage]:
    origins = (ORIGIN,)
    async with a_context(folder, database_url=database_url, database_clock=clock, trusted_origins=origins) as context:
        yield Stage(context, Authenticator(ORIGIN), clock)


@pytest.fixture
def play(tmp_path: Path, database_url: str, database_clock: DatabaseClock) -> Callable[[Story], None]:
    async def played(story: Story) -> None:
        async with _stage(tmp_path, database_url, database_clock) as stage:
            await story(stage)

    return lambda story: asyncio.run(played(story))


def test_a_challenge_is_over_after_five_minutes(play: Callable[[Story], None]) -> None:
    async def story(stage: Stage) -> None:
        await stage.registered()
        signing_in = await start_sign_in(stage.context, ORIGIN)
        registering = await start_registration(stage.context, ADA, "Other", ORIGIN)
        stage.clock.move(seconds=CHALLENGE_LIFETIME.total_seconds())

        with pytest.raises(Problem, match="Passkey challenge is missing or expired"):
            await finish_sign_in(stage.context, signing_in.token, stage.device.get(signing_in.options), RequestClient())
        answer = Authenticator(ORIGIN).create(registering.options)
        with pytest.raises(Problem, match="Passkey challenge is missing or expired"):
            await finish_registration(stage.context, ADA, registering.token, answer)

    play(story)


def _number_kept(connection: Connection) -> int:
    number: int = connection.execute(select(func.count(challenges.c.id))).scalar_one()
    return number


@pytest.mark.parametrize("off_by", [timedelta(minutes=11), timedelta(days=400)])
def test_an_answer_counts_once_whatever_the_clock_of_another_process_says(
    play: Callable[[Story], None], off_by: timedelta
) -> None:
    async def story(stage: Stage) -> None:
        await stage.registered()
        other = replace(stage, context=replace(stage.context, clock=lambda: NOON + off_by))
        asked = await start_sign_in(stage.context, ORIGIN)
        answer = stage.device.get(asked.options)
        await finish_sign_in(stage.context, asked.token, answer, RequestClient())
        await other.signed_in()
        await start_registration(other.context, ADA, "Other", ORIGIN)

        with pytest.raises(Problem, match="Passkey challenge is missing or expired"):
            await finish_sign_in(stage.context, asked.token, answer, RequestClient())

    play(story)


@pytest.mark.parametrize("off_by", [timedelta(days=-1), timedelta(minutes=11)])
def test_a_ceremony_that_begins_at_one_process_ends_at_another_whose_clock_is_off(
    play: Callable[[Story], None], off_by: timedelta
) -> None:
    async def story(stage: Stage) -> None:
        other = replace(stage.context, clock=lambda: NOON + off_by)
        registering = await start_registration(stage.context, ADA, "Laptop", ORIGIN)
        await finish_registration(other, ADA, registering.token, stage.device.create(registering.options))
        signing_in = await start_sign_in(stage.context, ORIGIN)

        assert await finish_sign_in(other, signing_in.token, stage.device.get(signing_in.options), RequestClient())

    play(story)


@pytest.mark.parametrize(
    "retired", [("a-session-secret-for-tests",), ("another-one", "a-session-secret-for-tests"), ()]
)
def test_a_ceremony_outlives_the_secret_while_that_is_listed_as_retired(
    play: Callable[[Story], None], retired: tuple[str, ...]
) -> None:
    async def story(stage: Stage) -> None:
        policy = replace(stage.context.policy, session_secret="the-next-secret", retired_secrets=retired)
        rotated = replace(stage.context, policy=policy)
        await stage.registered()
        registering = await start_registration(stage.context, ADA, "Other", ORIGIN)
        signing_in = await start_sign_in(stage.context, ORIGIN)
        answer, used = Authenticator(ORIGIN).create(registering.options), stage.device.get(signing_in.options)

        outcomes = await asyncio.gather(
            finish_registration(rotated, ADA, registering.token, answer),
            finish_sign_in(rotated, signing_in.token, used, RequestClient()),
            return_exceptions=True,
        )

        refused = [outcome.code for outcome in outcomes if isinstance(outcome, Problem)]
        assert refused == ([] if retired else ["passkey_challenge_missing"] * 2)

    play(story)


def test_k12_a_sign_in_that_an_unauthenticated_client_begins_or_answers_stores_nothing(
    play: Callable[[Story], None],
) -> None:
    async def story(stage: Stage) -> None:
        asked = await start_sign_in(stage.context, ORIGIN)
        stranger = Authenticator(ORIGIN)
        stranger.create((await start_registration(stage.context, ADA, "Other", ORIGIN)).options)
        before = await stage.context.database.read(_number_kept)
        with pytest.raises(Problem, match="Invalid passkey"):
            await finish_sign_in(stage.context, asked.token, stranger.get(asked.options), RequestClient())

        assert await stage.context.database.read(_number_kept) == before

    play(story)


def test_of_two_answers_to_one_sign_in_at_once_one_counts(play: Callable[[Story], None]) -> None:
    async def story(stage: Stage) -> None:
        await stage.registered()
        asked = await start_sign_in(stage.context, ORIGIN)
        answer = stage.device.get(asked.options)

        outcomes = await asyncio.gather(
            *(finish_sign_in(stage.context, asked.token, answer, RequestClient()) for _ in range(4)),
            return_exceptions=True,
        )

        refused = [outcome for outcome in outcomes if isinstance(outcome, Problem)]
        assert {problem.code for problem in refused} == {"passkey_challenge_missing"}
        assert len(refused) == 3

    play(story)


def test_a_cookie_of_a_sign_in_that_was_changed_is_none(play: Callable[[Story], None]) -> None:
    async def story(stage: Stage) -> None:
        await stage.registered()
        asked = await start_sign_in(stage.context, ORIGIN)
        answer = stage.device.get(asked.options)

        for place, letter in enumerate(asked.token):
            changed = asked.token[:place] + ("1" if letter != "1" else "2") + asked.token[place + 1 :]
            with pytest.raises(Problem, match="Passkey challenge is missing or expired"):
                await finish_sign_in(stage.context, changed, answer, RequestClient())

    play(story)


def test_a_cookie_is_never_what_is_stored(play: Callable[[Story], None]) -> None:
    async def story(stage: Stage) -> None:
        asked = await start_registration(stage.context, ADA, "Other", ORIGIN)

        kept = await stage.context.database.read(lambda c: c.execute(select(challenges.c.id)).scalar_one())

        assert len(kept) == 64
        assert asked.token not in kept

    play(story)


def test_a_disabled_user_is_not_signed_in(play: Callable[[Story], None]) -> None:
    async def story(stage: Stage) -> None:
        await stage.registered()
        disabled = update(users).where(users.c.id == ADA.id).values(disabled_at=NOON)
        await stage.context.database.write(lambda c: c.execute(disabled) and None)

        with pytest.raises(Problem, match="Invalid passkey"):
            await stage.signed_in()

    play(story)


def test_of_two_sign_ins_with_one_counter_one_is_a_copy(play: Callable[[Story], None]) -> None:
    async def story(stage: Stage) -> None:
        await stage.registered()
        device = stage.device
        copy = replace(device)
        asked = [await start_sign_in(stage.context, ORIGIN) for _ in range(2)]
        answers = [each.get(question.options) for each, question in zip((device, copy), asked, strict=True)]

        outcomes = await asyncio.gather(
            *(
                finish_sign_in(stage.context, question.token, answer, RequestClient())
                for question, answer in zip(asked, answers, strict=True)
            ),
            return_exceptions=True,
        )

        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["NewSession", "Problem"]

    play(story)


def test_a_session_that_slips_in_behind_the_revocation_opens_nothing(play: Callable[[Story], None]) -> None:
    async def story(stage: Stage) -> None:
        passkey = await stage.registered()
        await revoke_passkey(stage.context, ADA, passkey.id)

        late = await start_session(stage.context, ADA, passkey.id)

        assert await viewer_with_session(stage.context, late.token, RequestClient()) is None

    play(story)
