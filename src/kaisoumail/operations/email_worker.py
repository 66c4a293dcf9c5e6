"""Uploading the Email Worker to Cloudflare, for the operator at the command line."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Final

import email_worker
from kaisoumail.cloudflare import workers
from kaisoumail.cloudflare.client import Cloudflare
from kaisoumail.cloudflare.errors import WORKERS, CloudflareError, MissingPermission
from kaisoumail.errors import Problem

ORIGIN_VARIABLE: Final = "KAISOUMAIL_URL"
"""By this variable a Worker is recognised as ours."""


class DeployOutcome(Enum):
    """What became of a Worker; another one than ours is left as it is."""

    NEW = "new"
    UPDATED = "updated"
    LEFT_ANOTHER = "another Worker has the name"


@dataclass(frozen=True, slots=True)
class EmailWorker:
    """The Email Worker of an installation: it hands messages over to *origin*, signed with *secret*."""

    account_id: str
    name: str
    origin: str
    secret: str = field(repr=False)


async def deploy(cloudflare: Cloudflare, worker: EmailWorker, *, replace: bool) -> DeployOutcome:
    """
    Upload *worker*; repeating is an update. Another Worker of that name is overwritten only with *replace*.

    Raises Problem with the code of Cloudflare's refusal, and a sentence of one line.
    """
    script = workers.Script(
        module=email_worker.MODULE,
        source=email_worker.script(),
        compatibility_date=email_worker.COMPATIBILITY_DATE,
        variables={ORIGIN_VARIABLE: worker.origin},
        secrets={"INBOUND_SECRET": worker.secret},
    )
    try:
        variables = await workers.find_variables(cloudflare, worker.account_id, worker.name)
        if variables is not None and ORIGIN_VARIABLE not in variables and not replace:
            return DeployOutcome.LEFT_ANOTHER
        await workers.upload(cloudflare, worker.account_id, worker.name, script)
    except CloudflareError as error:
        raise Problem(error.problem().code, _sentence(error)) from error
    return DeployOutcome.NEW if variables is None else DeployOutcome.UPDATED


def _sentence(error: CloudflareError) -> str:
    if isinstance(error, MissingPermission):
        return f"The token needs “{WORKERS}” for CLOUDFLARE_ACCOUNT_ID's account ({error})"
    return " ".join(str(error).split())
