"""Workers AI: what a model answers, what it refuses, and what it was asked."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.cloudflare_sandbox.pretend import Pretend, refusal, result

MODEL = "@cf/meta/llama-3.1-8b-instruct-fast"
ASKED = {"messages": [{"role": "user", "content": "Which one?"}]}


@pytest.fixture
def models(cloudflare: Pretend) -> Iterator[httpx.Client]:
    headers = {"authorization": f"Bearer {cloudflare.token(['Workers AI Read'])}"}
    with httpx.Client(base_url=f"{cloudflare.api_url}/accounts/{cloudflare.account_id}", headers=headers) as client:
        yield client


@pytest.mark.parametrize("response", [{"choice": 2}, "the second", None])
def test_a_model_answers_what_it_was_told_to_and_what_it_was_asked_is_kept(
    cloudflare: Pretend, models: httpx.Client, response: Any
) -> None:
    cloudflare.controls.put("/ai", json={"response": response}).raise_for_status()

    assert result(models.post(f"/ai/run/{MODEL}", json=ASKED))["response"] == response
    assert cloudflare.controls.get("/ai").json()["runs"] == [{"model": MODEL, **ASKED}]


def test_running_a_model_needs_its_permission(cloudflare: Pretend) -> None:
    path = f"/accounts/{cloudflare.account_id}/ai/run/{MODEL}"

    assert refusal(cloudflare.api.post(path, json=ASKED)) == (403, 10000)


def test_a_model_that_is_none_and_a_body_without_messages_are_refused(models: httpx.Client) -> None:
    assert refusal(models.post("/ai/run/@cf/meta/No%20Model", json=ASKED)) == (400, 5007)
    assert refusal(models.post(f"/ai/run/{MODEL}", json={"prompt": "hello"})) == (400, 3003)


def test_when_the_day_is_used_up_every_run_is_refused(cloudflare: Pretend, models: httpx.Client) -> None:
    cloudflare.controls.put("/ai", json={"used_up": True}).raise_for_status()

    assert refusal(models.post(f"/ai/run/{MODEL}", json=ASKED)) == (429, 3036)
    assert cloudflare.controls.get("/ai").json()["runs"] == []
