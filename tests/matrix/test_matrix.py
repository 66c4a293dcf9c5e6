"""Whatever fails where, a job comes to its end, by itself or by Retry, and leaves nothing behind."""

from collections.abc import Iterator

import pytest

from kaisoumail.workflows.jobs import all_jobs  # noqa: F401 - what is imported is in the registry
from tests.conftest import a_migrated_database
from tests.matrix.cells import UNDISTURBED, few_of
from tests.matrix.cells import faults as faults_of
from tests.matrix.judge import run_cell
from tests.matrix.scenarios import SCENARIOS, WITHOUT_REQUEST, job_of, product_jobs
from tests.matrix.site import Site, a_site


def test_every_job_of_the_product_has_its_row() -> None:
    assert product_jobs() == {job_of(scenario) for scenario in SCENARIOS} | WITHOUT_REQUEST.keys()


@pytest.fixture(scope="module")
def sqlite_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    with a_site(folder, f"sqlite:///{folder}/kaisoumail.db") as site:
        yield site


@pytest.fixture(scope="module")
def postgres_site(tmp_path_factory: pytest.TempPathFactory, postgres_server: str) -> Iterator[Site]:
    with a_migrated_database(postgres_server) as url, a_site(tmp_path_factory.mktemp("site"), url) as site:
        yield site


# Of so many kinds of faults each test takes one: together they meet half of the kinds, `make matrix` meets all.
_SHARE = 2 * len(SCENARIOS)
_ON_POSTGRESQL = ("open_mailbox",)


@pytest.mark.parametrize("job", SCENARIOS)
def test_a_job_comes_to_its_end_whatever_fails(job: str, sqlite_site: Site) -> None:
    assert _complaints(sqlite_site, job, list(SCENARIOS).index(job)) == []


@pytest.mark.parametrize("job", _ON_POSTGRESQL)
def test_a_job_comes_to_its_end_on_postgresql_too(job: str, postgres_site: Site) -> None:
    assert _complaints(postgres_site, job, 3 + _ON_POSTGRESQL.index(job)) == []


def _complaints(site: Site, job: str, number: int) -> list[tuple[str, str, list[str]]]:
    """What is wrong with *job* undisturbed, and under its share of the faults."""
    cells = [run_cell(site, job, UNDISTURBED)]
    every = faults_of(cells[0].points, SCENARIOS[job].refusal)
    cells += [run_cell(site, job, fault) for fault in few_of(every, number, _SHARE)]
    return [(cell.fault.kind, cell.fault.point, cell.complaints()) for cell in cells if cell.complaints()]
