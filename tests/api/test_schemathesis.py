"""
Every operation asked what its own description says, and what it does not say, by Schemathesis.

Wrong methods, headers left out, wrong types and too long texts are among it. Each request is made three times: as
an admin, as a member and as nobody. `make fuzz` does the same at length.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import Case
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.config import SchemathesisConfig

from kaisoumail.api.app import description
from tests.servers import ADMIN_KEY, UNLIMITED, Product, a_world

EXAMPLES: Final = int(os.environ.get("KAISOUMAIL_FUZZ_EXAMPLES", "5"))

# Refused for what they say and not for their form, with 400 as the contract has it: a domain that is not ours or no
# domain, two names that differ, a key that ends before it begins, a name of blanks.
REFUSED_FOR_WHAT_THEY_SAY: Final = {
    "createMailbox",
    "ensureMailbox",
    "bindDomain",
    "enableDomain",
    "createApiKey",
    "createUser",
    "changeUser",
    "signInWithPasskey",  # without a challenge nothing is an answer
    "registerPasskey",
    "startPasskeyRegistration",
}


@dataclass(frozen=True)
class Cast:
    url: str
    session: requests.Session
    keys: tuple[str | None, ...]


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """Passkeys are configured, else their 503 would be a server error; nobody is told to come back later."""
    configured = {**UNLIMITED, "WEB_APP_ORIGIN": "http://localhost:4173"}
    with a_world(tmp_path_factory.mktemp("world")) as world, world.product(**configured) as running:
        yield running


@pytest.fixture(scope="module")
def cast(product: Product) -> Iterator[Cast]:
    product.active_domain("customer.com")
    with requests.Session() as session:
        yield Cast(product.url, session, (ADMIN_KEY, product.add_member("fay"), None))


def _described() -> Any:
    document = json.loads(description())
    for form in ("CreateMailbox", "EnsureByParts"):
        # Texts of every length for this pattern take Schemathesis half a minute to find.
        del document["components"]["schemas"][form]["properties"]["subdomain"]["pattern"]
    config = SchemathesisConfig.from_dict({"seed": 20261126})
    return schemathesis.openapi.from_dict(document, config=config)


asked = _described().exclude(operation_id="followEvents")  # it never ends


@asked.parametrize()  # type: ignore[untyped-decorator]
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
def test_it_answers_what_the_description_says(case: "Case[Any]", cast: Cast) -> None:
    _do_not_wait(case)
    for key in cast.keys:
        headers = {} if key is None else {"authorization": f"Bearer {key}"}
        case.call_and_validate(
            base_url=cast.url, session=cast.session, headers=headers, excluded_checks=_left_out(case)
        )


def test_the_admin_is_still_an_admin(cast: Cast, product: Product) -> None:
    """Nothing above locked its own cast out: the answers were not all refusals."""
    assert product.admin.get("/api/auth/session").json()["user"]["role"] == "admin"
    with product.client(cast.keys[1]) as member:
        assert member.get("/api/auth/session").status_code == 200


def _do_not_wait(case: "Case[Any]") -> None:
    if case.path.endswith("/wait") and str(case.query.get("timeout", "1")).isdigit():
        case.query["timeout"] = 0


def _left_out(case: "Case[Any]") -> list[Any]:
    load_all_checks()
    left_out = ["ignored_auth"]  # takes the credential that we add for one it made; test_matrix asks without any
    if case.operation.definition.raw["operationId"] in REFUSED_FOR_WHAT_THEY_SAY:
        left_out.append("positive_data_acceptance")
    return CHECKS.get_by_names(left_out)
