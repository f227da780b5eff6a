"""Models as they are today: they reason, refuse what older ones took, and are switched off.

    Server(models=TODAY) answers `gpt-6-luna` as such a model answers: reasoning eats the limit, `temperature` and log
    probabilities only at effort none. A name that `models` lacks is answered as before.

A `ServedModel` says what is refused and what a reply costs; the texts and verdicts come from the server as ever.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

EFFORTS = {"none": 0, "minimal": 60, "low": 180, "medium": 700, "high": 2200, "xhigh": 5000, "max": 9000}
"""Effort → reasoning tokens of one reply."""


@dataclass(frozen=True, kw_only=True)
class ServedModel:
    """How one model takes requests. The defaults are those of a plain model that takes everything."""

    reasons: bool = False
    effort: str = "medium"
    """Effort where the request names none."""
    always: bool = False
    """Whether reasoning cannot be switched off."""
    efforts: Mapping[str, int] = field(default_factory=lambda: EFFORTS)
    temperature: str = "yes"
    """yes, never, or `effort none`."""
    logprobs: str = "yes"
    """yes, never, or `effort none`."""
    schema: int = 0
    """Status that refuses a JSON schema; 0 where it is taken."""
    both_samplings: bool = True
    """Whether temperature and top_p may be sent together."""
    system: bool = True
    """Whether the chat template has a system role."""
    gone: bool = False
    """Retired: 404."""
    shutdown: str | None = None
    """Date in the model list."""
    inline: bool = False
    """Whether reasoning stands in the text, between think tags."""

    def effort_of(self, body: Mapping[str, Any]) -> str:
        """The effort that a request asks for, in OpenAI's, Anthropic's or vLLM's words."""
        if not self.reasons:
            return "none"
        thinking = body.get("thinking") or {}
        asked = body.get("reasoning_effort") or (body.get("output_config") or {}).get("effort")
        switched_off = (
            thinking.get("type") == "disabled"
            or asked == "none"
            or (body.get("chat_template_kwargs") or {}).get("enable_thinking") is False
        )
        if switched_off:
            return "low" if self.always else "none"
        return str(asked or self.effort)

    def refusal(self, body: Mapping[str, Any]) -> tuple[int, str, str] | None:  # noqa: PLR0911 - one line a refusal
        """(status, code, words) where the request is refused."""
        effort = self.effort_of(body)
        if self.gone:
            return 404, "model_not_found", f"The model `{body.get('model')}` does not exist or has been retired."
        for name, rule in (("temperature", self.temperature), ("logprobs", self.logprobs)):
            if body.get(name) is None or rule == "yes" or (rule == "effort none" and effort == "none"):
                continue
            return 400, "unsupported_parameter", f"Unsupported parameter: '{name}' is not supported with this model."
        if not self.both_samplings and body.get("temperature") is not None and body.get("top_p") is not None:
            return 400, "invalid_request_error", "`temperature` and `top_p` cannot both be specified for this model."
        wants_schema = body.get("response_format") or (body.get("output_config") or {}).get("format")
        if self.schema and wants_schema:
            words = "Internal Server Error" if self.schema >= 500 else "response_format is not supported"
            return self.schema, "unsupported_parameter", words
        if self.always and (body.get("thinking") or {}).get("type") == "disabled":
            return 400, "invalid_request_error", "thinking cannot be disabled for this model"
        if not self.system and any(message["role"] == "system" for message in body.get("messages", ())):
            return 400, "invalid_request_error", "System role not supported"
        return None

    def shaped(self, document: dict[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
        """Return the reply with its reasoning in it, cut where the limit ends it, and its tokens counted."""
        spent = self.efforts[self.effort_of(body)]
        shown = document.get("content") if "content" in document else document["choices"][0]["message"]["content"]
        text = "".join(block.get("text", "") for block in shown) if isinstance(shown, list) else shown or ""
        limit = body.get("max_completion_tokens") or body.get("max_tokens") or 1_000_000
        kept, cut = _cut(text, max(0, limit - spent))
        used = min(limit, spent + count(kept))
        shape = _message if "content" in document else _completion
        return shape(document, kept, cut=cut, reasoning=min(spent, limit), used=used, given=_given(body), served=self)


def _message(
    document: dict[str, Any], text: str, *, cut: bool, reasoning: int, used: int, given: int, served: ServedModel
) -> dict[str, Any]:
    blocks = [block for block in document["content"] if block["type"] != "text"]
    blocks += [{"type": "text", "text": text}] if text else []
    if reasoning and served.reasons:
        blocks.insert(0, {"type": "thinking", "thinking": "Let me weigh both.", "signature": "s"})
    usage = {"input_tokens": given, "output_tokens": used, "cache_creation_input_tokens": 0}
    usage |= {"cache_read_input_tokens": 0}
    ends = {"stop_reason": "max_tokens"} if cut else {}
    return {**document, "content": blocks, "usage": usage, **ends}


def _completion(
    document: dict[str, Any], text: str, *, cut: bool, reasoning: int, used: int, given: int, served: ServedModel
) -> dict[str, Any]:
    choice = document["choices"][0]
    message = {**choice["message"], "content": text}
    if reasoning and served.inline:
        message["content"] = f"<think>Let me weigh both.</think>{text}" if text else "<think>Let me weigh"
    choice = {**choice, "message": message, "finish_reason": "length" if cut else choice["finish_reason"]}
    usage = {
        "prompt_tokens": given,
        "completion_tokens": used,
        "total_tokens": given + used,
        "prompt_tokens_details": {"cached_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": reasoning},
    }
    return {**document, "choices": [choice], "usage": usage}


def _given(body: Mapping[str, Any]) -> int:
    """Input tokens of a request."""
    from tests.server.formats import conversation_text

    return count(conversation_text(body))


def count(text: str) -> int:
    """o200k tokens: what today's servers count."""
    return len(_encoding().encode_ordinary(text))


def _cut(text: str, room: int) -> tuple[str, bool]:
    """Return as much of a text as `room` tokens hold, and whether something was cut off."""
    tokens = _encoding().encode_ordinary(text)
    if len(tokens) <= room:
        return text, False
    return _encoding().decode(tokens[:room]) if room else "", True


@cache
def _encoding() -> Any:
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import bpe_openai

        return bpe_openai.get_encoding("o200k_base")


TODAY: dict[str, ServedModel] = {
    "gpt-6-sol": ServedModel(reasons=True, temperature="effort none", logprobs="effort none"),
    "gpt-6-luna": ServedModel(reasons=True, temperature="effort none", logprobs="effort none"),
    "gpt-6-astra": ServedModel(reasons=True, temperature="effort none", logprobs="never"),
    "gpt-5.2": ServedModel(reasons=True, effort="none", temperature="effort none", logprobs="effort none"),
    "gpt-4.1": ServedModel(shutdown="2027-01-14"),
    "gpt-4-1106-preview": ServedModel(gone=True, shutdown="2026-10-23"),
    "claude-opus-5-5": ServedModel(reasons=True, temperature="never", logprobs="never"),
    "claude-sonnet-5-5": ServedModel(reasons=True, temperature="never", logprobs="never"),
    "claude-haiku-5-5": ServedModel(reasons=True, temperature="never", logprobs="never"),
    "claude-fable-5-1": ServedModel(reasons=True, always=True, temperature="never", logprobs="never"),
    "claude-sonnet-4-6": ServedModel(both_samplings=False, logprobs="never"),
    "claude-opus-4-1": ServedModel(gone=True, shutdown="2026-08-05"),
    "open-thinker": ServedModel(reasons=True, inline=True, schema=400),
    "llama-cpp": ServedModel(schema=500),
    "gemma-like": ServedModel(system=False),
}
"""What servers of November 2026 do, by the name they are asked under (the facts stand in the providers' documentation)."""
