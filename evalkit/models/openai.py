"""OpenAI chat completions, and every server that speaks them: vllm serve, llama.cpp, Ollama, OpenRouter, TGI, LiteLLM.

One client per model, on the aiohttp transport, which handles several times as many calls as the SDK's default. Replies
are read from the plain JSON: the SDK's response models take more time than the rest of a call.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any, ClassVar

from evalkit.calls import CallError, Fault, Kind, Model, Request, Response, Usage
from evalkit.errors import CredentialsError, Problem
from evalkit.models._reward import RewardClient
from evalkit.models.http import Refusals, SdkClient, key_for, refuse_address_from_environment
from evalkit.text.reasoning import split_reasoning

TOP_LOGPROBS = 20
"""The most that OpenAI returns; labels that are not among them are reported as missing, never guessed."""

_REASONING_MODEL = re.compile(r"^(?:openai/)?(?:o\d|gpt-[5-9]|gpt-oss)", re.IGNORECASE)
_OWN_ADDRESS = "api.openai.com"
_FINISH = {"tool_calls": "tool", "max_tokens": "length", "eos": "stop"}
_LEFT_OUT = {
    "response_format": "replies are asked for in words only",
    "temperature": "the server's own temperature holds",
    "top_p": "the server's own top_p holds",
    "seed": "replies are not seeded",
    "max_completion_tokens": "sent as max_tokens",
    "max_tokens": "sent as max_completion_tokens",
}
_NAMED_BY = {
    **{name: (name,) for name in _LEFT_OUT},
    "response_format": ("response_format", "json_schema", "structured output", "guided", "grammar"),
}


class Provider:
    """One model behind OpenAI's chat completions."""

    free: ClassVar[bool] = False
    in_process: ClassVar[bool] = False
    _refusals: ClassVar[Refusals] = Refusals(_NAMED_BY, _LEFT_OUT)

    def __init__(self, model: Model, *, timeout: float) -> None:
        """Open the client; nothing is sent.

        Raises:
            CredentialsError: there is no key, or only half of what Azure needs.
        """
        self._model = model
        self._client = _client(model, timeout=timeout)
        self._rewards = RewardClient(self._client)
        self._server = f"{model} at {self._client.address}"
        self._own = model.base_url is None or _OWN_ADDRESS in model.base_url

    async def ask(self, request: Request) -> Response:
        """Answer one request; raises `CallError`."""
        if request.kind is Kind.SCORE:
            from evalkit.models._scoring import score

            return await score(request, self._client)
        if request.kind is Kind.REWARD:
            return await self._rewards.ask(request)
        while True:
            body = self._body(request)
            try:
                return _response(await self._client.post("/chat/completions", body, request), request)
            except CallError as error:
                if not self._refusals.learn(self._server, body, error):
                    raise

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    def _body(self, request: Request) -> dict[str, Any]:
        """Return the body for a request, without the parameters that this server refused before."""
        sampling, refused = request.sampling, self._refusals.of(self._server)
        reasoning = self._own and _REASONING_MODEL.match(self._model.name)
        wanted: dict[str, Any] = {
            "model": self._model.name,
            "messages": [{"role": message.role, "content": message.content} for message in request.messages],
            "temperature": None if reasoning else sampling.temperature,
            "top_p": None if reasoning else sampling.top_p,
            self._limit_name(refused): sampling.max_tokens,
            "seed": request.seed,
            "stop": list(sampling.stop) or None,
        }
        if request.schema:
            schema = {"name": "reply", "strict": True, "schema": request.schema}
            wanted["response_format"] = {"type": "json_schema", "json_schema": schema}
        if request.labels:
            wanted.update(logprobs=True, top_logprobs=TOP_LOGPROBS)
        wanted.update(sampling.extra)
        return {name: value for name, value in wanted.items() if value is not None and name not in refused}

    def _limit_name(self, refused: set[str]) -> str:
        """Return what this server calls the limit on output tokens."""
        old, new = "max_tokens", "max_completion_tokens"
        if {old, new} <= refused:
            raise CallError(Fault.UNSUPPORTED, "the server accepts no limit on output tokens")
        first, second = (new, old) if self._own else (old, new)
        return second if first in refused else first


def _client(model: Model, *, timeout: float) -> SdkClient:
    """Return the client for a model: OpenAI's, a compatible server's, or Azure's where the environment names it."""
    azure = os.environ.get("AZURE_OPENAI_ENDPOINT")
    if azure and not model.base_url and not os.environ.get(model.api_key_env or "OPENAI_API_KEY"):
        return _azure_client(model, azure, timeout=timeout)
    refuse_address_from_environment("OPENAI_BASE_URL", model)
    key = key_for(model, "OPENAI_API_KEY", keyless=model.base_url is not None)
    import openai

    client = openai.AsyncOpenAI(
        api_key=key, base_url=model.base_url, timeout=timeout, max_retries=0, http_client=openai.DefaultAioHttpClient()
    )
    return SdkClient(client, openai, key=key)


def _azure_client(model: Model, endpoint: str, *, timeout: float) -> SdkClient:
    """Return Azure's client; the model's name is the name of the deployment."""
    key = key_for(model, "AZURE_OPENAI_API_KEY", keyless=False)
    version = os.environ.get("OPENAI_API_VERSION")
    if not version:
        hint = "export OPENAI_API_VERSION=… (the version of Azure's API)"
        raise CredentialsError(Problem(message="AZURE_OPENAI_ENDPOINT is set, OPENAI_API_VERSION is not", hint=hint))
    import openai

    client = openai.AsyncAzureOpenAI(
        api_key=key,
        azure_endpoint=endpoint,
        api_version=version,
        timeout=timeout,
        max_retries=0,
        http_client=openai.DefaultAioHttpClient(),
    )
    return SdkClient(client, openai, key=key)


def _response(completion: Any, request: Request) -> Response:
    """Read a chat completion."""
    try:
        choice = completion["choices"][0]
        message = choice["message"]
        text, reasoning = split_reasoning(_text(message.get("content")))
        finish = choice.get("finish_reason") or "stop"
        refusal = message.get("refusal")
        response = Response(
            text=refusal if refusal and not text else text,
            reasoning=message.get("reasoning_content") or message.get("reasoning") or reasoning,
            finish_reason="refusal" if refusal and not text else _FINISH.get(finish, finish),
            top_logprobs=_top_logprobs(choice) if request.labels else (),
            usage=usage_of(completion.get("usage") or {}),
            served_model=completion.get("model"),
            fingerprint=completion.get("system_fingerprint"),
        )
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise CallError(Fault.MALFORMED, f"the reply is no chat completion ({type(error).__name__})") from None
    if request.labels and not response.top_logprobs and response.text:
        raise CallError(Fault.UNSUPPORTED, "the server gave no log probabilities, which this judge needs")
    return response


def _text(content: Any) -> str:
    """Return a message's content as text: some servers cut it into parts, of which only text is the answer."""
    if content is None or isinstance(content, str):
        return content or ""
    return "".join(part["text"] for part in content if part["type"] == "text")


def _top_logprobs(choice: Mapping[str, Any]) -> tuple[tuple[str, float], ...]:
    """Return the most likely first tokens; empty where the server gave none."""
    content = (choice.get("logprobs") or {}).get("content") or []
    likely = content[0].get("top_logprobs") or [content[0]] if content else []
    return tuple((item["token"], float(item["logprob"])) for item in likely)


def usage_of(usage: Mapping[str, Any]) -> Usage:
    """Read OpenAI's usage."""
    return Usage(
        input_tokens=usage.get("prompt_tokens"),
        output_tokens=usage.get("completion_tokens"),
        cached_tokens=(usage.get("prompt_tokens_details") or {}).get("cached_tokens"),
        reasoning_tokens=(usage.get("completion_tokens_details") or {}).get("reasoning_tokens"),
    )
