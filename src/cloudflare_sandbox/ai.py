"""
Workers AI: running a model, which here answers what a control has set.

The answer's shape and the error table: developers.cloudflare.com/workers-ai, "REST API", "JSON Mode" and "Errors"
(July 2026). No model runs here.
"""

import re
from typing import Any, Final

from cloudflare_sandbox.answers import Answer, Refusal
from cloudflare_sandbox.sandbox import Call
from cloudflare_sandbox.state import Run

_MAX_RUNS: Final = 100
_NAME: Final = re.compile(r"@(?:cf|hf)/[a-z0-9._-]+/[a-z0-9._-]+")


def run(call: Call) -> Answer:
    """The answer set by `PUT /_sandbox/ai`; `GET /_sandbox/ai` shows the run."""
    model = "/".join((call.parts["origin"], call.parts["author"], call.parts["model"]))
    if not _NAME.fullmatch(model):
        raise Refusal(400, 5007, f"No such model {model} or task")
    messages = call.fields.get("messages")
    if not (isinstance(messages, list) and messages and all(isinstance(each, dict) for each in messages)):
        raise Refusal(400, 3003, "Request is missing headers or body: messages")
    ai = call.state.ai
    if ai.is_used_up:
        raise Refusal(
            429,
            3036,
            "You have used up your daily free allocation of 10,000 neurons. Please upgrade to Cloudflare's Workers "
            "Paid plan if you would like to continue usage.",
        )
    ai.runs = [*ai.runs, Run(model, messages)][-_MAX_RUNS:]
    usage: dict[str, Any] = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    return Answer({"response": ai.response, "usage": usage})
