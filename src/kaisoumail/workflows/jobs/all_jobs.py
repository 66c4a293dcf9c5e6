"""All jobs: importing this module registers every one of them."""

from typing import Final

from kaisoumail.workflows.jobs import (
    bind_domain,
    delete_domain,
    destroy_mailbox,
    enable_domain,
    open_mailbox,
    provision_domain,
    retire_host,
    revive_mailbox,
    route_mailbox,
)

ALL_JOBS: Final = (
    bind_domain,
    enable_domain,
    provision_domain,
    delete_domain,
    open_mailbox,
    route_mailbox,
    revive_mailbox,
    destroy_mailbox,
    retire_host,
)
