"""
Open runs of the releases without a table of runs: `JOB:KEY:NUMBER` in DBOS's tables, with pickles.

Nothing that they stored is read. Job and key are enough: each open run begins again from its first step, and a step
checks what exists before it acts.
"""

from typing import Any, Final

from sqlalchemy import Connection, update

from kaisoumail.model.domain import DomainStatus
from kaisoumail.storage.engine import schema
from kaisoumail.storage.tables import domains, runs

NAMES: Final = (
    "bind_domain",
    "enable_domain",
    "provision_domain",
    "delete_domain",
    "open_mailbox",
    "destroy_mailbox",
)
_VERSION: Final = 1


def begin(connection: Connection, *, workflow_id: str) -> None:
    """Begin a run for the job and key in *workflow_id*, unless its domain is gone or a run for the key is open."""
    job, _, rest = workflow_id.partition(":")
    found = _key_and_arguments(connection, job, rest.rpartition(":")[0])
    if found is not None:
        key, arguments = found
        runs.begin(connection, job=job, key=key, arguments=arguments, version=_VERSION)


def _key_and_arguments(connection: Connection, job: str, key: str) -> tuple[str, dict[str, Any]] | None:
    match job:
        case "bind_domain":
            return key, {"root_domain": key}
        case "enable_domain":
            return key, {"root_domain": key, "zone_id": None}
        case "open_mailbox":
            return key, {"mailbox_id": key, "operation": "mailboxes.create"}
        case "destroy_mailbox":
            return key, {"mailbox_id": key, "operation": "mailboxes.sweep"}
    domain = domains.find_any(connection, key)
    if domain is None:
        return None
    if job == "provision_domain":
        return domain.root_domain, {"domain_id": key, "operation": "domains.retry"}
    if domain.deleted_at is not None:
        # Its former status is in a pickle: if Cloudflare refuses, it is restored with this one and provisioned again.
        hidden = update(schema.domains).where(schema.domains.c.id == key)
        connection.execute(hidden.values(status_before_deletion=DomainStatus.PROVISIONING_ERROR.value))
    return domain.root_domain, {"domain_id": key}
