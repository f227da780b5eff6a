"""How prompts and answers travel to a judge: as JSON between marker lines whose nonce no author can foresee.

    <<<MATERIAL 3f0c9a5512de77b1
    {"request": "…",
     "answer_A": "…",
     "answer_B": "…"}
    3f0c9a5512de77b1 MATERIAL>>>

The nonce is a hash of the prompt and both answers, the same in both orders. To forge a marker, an answer would have to
contain a hash of itself. Being derived from content, it needs no secret: verdicts are shared between runs and machines.
JSON is written without ASCII escapes (they multiply the tokens of most scripts); only what could break a line, a marker
or a chat template is escaped, and stays visible to the judge.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from evalkit.records import Generation, Prompt

CONTROL_TOKENS = re.compile(
    r"<(?=[|｜])"  # <|im_end|>, <｜User｜>
    r"|<(?=/?(?:s|bos|eos|unk|pad|think|start_of_turn|end_of_turn|SYS|INST|MATERIAL|sep|cls|mask)>)"
    r"|<(?=<<MATERIAL|<SYS>>|</SYS>>)"
    r"|\[(?=/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\])"
)
"""Where text begins that chat templates treat as structure; the first character is escaped."""

_UNSEEN = re.compile(
    "[\u200b\u2028\u2029\u202a-\u202e\u2060\u2066-\u2069\ufeff\ufff9-\ufffb\x7f-\x9f\ud800-\udfff\U000e0000-\U000e007f]"
)
"""Characters that hide, reorder or break what is read. Joiners (U+200C, U+200D) are spelling and stay."""

NONCE_LENGTH = 16


def as_json(values: Mapping[str, Any]) -> str:
    """Return the values as JSON, one key a line, in the text's own script."""
    lines = (f"{json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}" for name, value in values.items())
    plain = "{" + ",\n ".join(lines) + "}"
    return _UNSEEN.sub(_escape, CONTROL_TOKENS.sub(_escape, plain))


def _escape(found: re.Match[str]) -> str:
    """Write each UTF-16 unit of the character as a JSON escape."""
    units = found[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def nonce(texts: Iterable[str]) -> str:
    """Return 16 hex digits that depend on every text and not on their order."""
    digests = sorted(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest() for text in texts)
    return hashlib.sha256(b"".join(digests)).hexdigest()[:NONCE_LENGTH]


def enclose(content: str, mark: str) -> str:
    """Return the content between its two marker lines."""
    return f"<<<MATERIAL {mark}\n{content}\n{mark} MATERIAL>>>"


def request_value(prompt: Prompt) -> str | list[dict[str, str]]:
    """Return a prompt of one message as its text, a conversation as its messages."""
    if len(prompt.messages) == 1:
        return prompt.messages[0].content
    return [{"role": message.role, "content": message.content} for message in prompt.messages]


def answer_value(answer: Generation) -> str | list[str]:
    """Return an answer as its text, several turns as a list."""
    return [*answer.earlier, answer.text] if answer.earlier else answer.text


def answer_texts(answer: Generation) -> str:
    """Return all turns of an answer as one text (for the nonce and for lengths)."""
    return "\n\n".join([*answer.earlier, answer.text])
