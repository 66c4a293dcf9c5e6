"""The ledger of refused mail: written together, read in pages, forgotten in time."""

from kaisoumail.model.ids import new_id
from kaisoumail.model.rejection import Rejection
from kaisoumail.storage.tables import rejections
from kaisoumail.storage.tables.rejections import RejectionLedger, RejectionPageEnd
from tests.people import MINUTE, NOON
from tests.storage.conftest import Storage


def _a_rejection(recipient: str = "nobody@mail.demo.example", minutes: int = 0) -> Rejection:
    at = NOON + minutes * MINUTE
    return Rejection(new_id("rej"), at, "smtp", "a@shop.example", recipient, "mailbox_unavailable")


def test_what_is_noted_is_read_newest_first(storage: Storage) -> None:
    refused = [_a_rejection(minutes=number) for number in range(3)]

    async def note() -> None:
        ledger = RejectionLedger(storage.database)
        for rejection in refused:
            ledger.note(rejection)
        await ledger.written()

    storage.run(note())

    assert storage.read(lambda c: rejections.listed(c, 10)) == refused[::-1]


def test_pages_join_without_gap_or_double_even_within_one_millisecond(storage: Storage) -> None:
    refused = [_a_rejection() for _ in range(5)]
    storage.write(lambda c: rejections.add_all(c, refused))

    seen: list[Rejection] = []
    while page := storage.read(
        lambda c: rejections.listed(c, 2, RejectionPageEnd(seen[-1].at, seen[-1].id) if seen else None)  # noqa: B023
    ):
        seen += page

    assert seen == sorted(refused, key=lambda rejection: rejection.id, reverse=True)


def test_a_domain_sees_its_own_and_its_subdomains_and_no_other_that_looks_alike(storage: Storage) -> None:
    ours = ["a@demo.example", "b@mail.demo.example"]
    others = ["c@notdemo.example", "d@demo.example.org", "e@demo_example", "f@demoXexample"]
    storage.write(lambda c: rejections.add_all(c, [_a_rejection(name) for name in [*ours, *others]]))

    listed = storage.read(lambda c: rejections.listed(c, 10, domain="demo.example"))

    assert sorted(rejection.recipient for rejection in listed) == ours


def test_a_flood_does_not_fill_the_table(storage: Storage) -> None:
    async def flood() -> None:
        ledger = RejectionLedger(storage.database)
        for _ in range(5_000):
            ledger.note(_a_rejection())
        await ledger.written()

    storage.run(flood())

    assert len(storage.read(lambda c: rejections.listed(c, 10_000))) == 2_000


def test_a_flood_that_goes_on_drops_the_oldest_while_it_does(storage: Storage) -> None:
    async def flood() -> None:
        ledger = RejectionLedger(storage.database, most_kept=100)
        for minute in range(40):
            for _ in range(50):
                ledger.note(_a_rejection(minutes=minute))
            await ledger.written()

    storage.run(flood())

    kept = storage.read(lambda c: rejections.listed(c, 10_000))
    assert len(kept) == 100
    assert {rejection.at for rejection in kept} == {NOON + 38 * MINUTE, NOON + 39 * MINUTE}
