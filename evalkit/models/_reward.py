"""The reward of a conversation from a server that runs a reward model: vLLM's pooling runner, or any with `/score`.

The first of these that the server offers is asked: `/classify` (the outputs of the model's head), `/pooling` (the same
of models that give a number at every token), `/score` (prompt and answer as a pair, in the server's own template).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from evalkit.calls import CallError, Fault, Request, Response, Usage
from evalkit.models.http import SdkClient

_PATHS = ("/classify", "/pooling", "/score")


class RewardClient:
    """Asks one server for rewards, at the address that it turned out to offer."""

    def __init__(self, client: SdkClient) -> None:
        self._client = client
        self._paths: tuple[str, ...] = _PATHS
        """The addresses that the server may still offer, the one to try first before the others."""

    async def ask(self, request: Request) -> Response:
        """Return the number that the served model gives the conversation; raises `CallError`."""
        root = self._client.base_url.removesuffix("/v1")
        for path in self._paths:
            body = _body(path, request)
            try:
                found = await self._client.post(root + path, body, request)
            except CallError as error:
                if not _absent(error):
                    raise
            else:
                self._paths = (path,)
                return _response(found, path)
        raise CallError(
            Fault.UNSUPPORTED,
            f"the server gives no rewards: it has none of {', '.join(self._paths)} (vllm serve MODEL --runner pooling)",
        )


def _body(path: str, request: Request) -> dict[str, Any]:
    """Return the request as an address takes it; the outputs are wanted as they are, without sigmoid or softmax."""
    messages = [{"role": message.role, "content": message.content} for message in request.messages]
    body = {"model": request.model.name, "use_activation": False}
    if path != "/score":
        return {**body, "messages": messages}
    if [message.role for message in request.messages] != ["user", "assistant"]:
        raise CallError(Fault.UNSUPPORTED, "the server's /score takes one question and one answer, not a conversation")
    return {**body, "text_1": messages[0]["content"], "text_2": messages[1]["content"]}


def _absent(error: CallError) -> bool:
    """Return whether the server does not offer the address; that it does not know the model is another 404."""
    told = str(error).lower()
    return "http 501" in told or (error.fault in {Fault.NOT_FOUND, Fault.UNSUPPORTED} and "model" not in told)


def _response(found: Mapping[str, Any], path: str) -> Response:
    """Read the number; of one at every token, the last is that of the whole conversation."""
    try:
        first = found["data"][0]
        values = {"/classify": "probs", "/pooling": "data", "/score": "score"}
        value = first[values[path]]
        while isinstance(value, list) and isinstance(value[-1], list):
            value = value[-1]
        numbers = [float(number) for number in (value if isinstance(value, list) else [value])]
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise CallError(Fault.MALFORMED, f"the reply holds no reward ({type(error).__name__})") from None
    usage = found.get("usage") or {}
    return Response(
        text="",
        score=one_number(numbers, of="the served model"),
        usage=Usage(input_tokens=usage.get("prompt_tokens"), output_tokens=usage.get("completion_tokens")),
        served_model=found.get("model"),
    )


def one_number(numbers: list[float], *, of: str) -> float:
    """Return the one number that a reward is.

    Raises:
        CallError: the model's head gives several, or one that cannot be compared.
    """
    if len(numbers) != 1:
        raise CallError(Fault.UNSUPPORTED, f"{of} gives {len(numbers)} numbers, and a reward is one")
    if not math.isfinite(numbers[0]):
        raise CallError(Fault.BAD_REQUEST, f"{of} gives the reward {numbers[0]}")
    return numbers[0]
