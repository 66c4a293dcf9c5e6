"""What is uploaded is what was tested."""

import re
from pathlib import Path

import email_worker
from tests.email_worker.runtime import FOLDER

SOURCE = Path(email_worker.__file__).parent


def test_the_packaged_script_is_the_one_file_there_is() -> None:
    assert email_worker.script() == (SOURCE / email_worker.MODULE).read_bytes()


def test_it_is_tested_and_deployed_with_the_same_behaviour_of_the_runtime() -> None:
    wrangler = (SOURCE / "wrangler.jsonc").read_text(encoding="utf-8")
    tested = (FOLDER / "workerd.capnp").read_text(encoding="utf-8")

    dates = re.findall(r'(?:compatibility_date"?: |compatibilityDate = )"([0-9-]+)"', wrangler + tested)

    assert dates == [email_worker.COMPATIBILITY_DATE] * 2


def test_it_stays_short_enough_to_read() -> None:
    assert len(email_worker.script().splitlines()) < 120
