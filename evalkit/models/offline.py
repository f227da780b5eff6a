"""The embedded judge `offline/rules`: no network, no key, no language model. The rules are in `_offline_rules.py`.

It reads what `judges/offline-rules.yaml` (or another judge of that form) renders, and fills in the same form.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping
from typing import Any, ClassVar

from evalkit.calls import CallError, Fault, Kind, Model, Request, Response
from evalkit.errors import InputError, Problem, did_you_mean
from evalkit.language.tags import normalise
from evalkit.models._offline_rules import Case, rule

MODELS = ("rules",)
BATCH = 256
"""Comparisons decided together; between batches the event loop runs other tasks."""

_EXPECTED = re.compile(r"Expected language: [^\n]*?\(([A-Za-z0-9-]+)[,)]")
_MATERIAL = re.compile(r"<<<MATERIAL (\w+)\n(.*)\n\1 MATERIAL>>>", re.DOTALL)


class Provider:
    """Rules that compare two answers."""

    free: ClassVar[bool] = True
    in_process: ClassVar[bool] = False

    def __init__(self, model: Model, *, timeout: float) -> None:
        """Take the model's name; `timeout` means nothing here.

        Raises:
            InputError: there is no such embedded model.
        """
        del timeout
        if model.name not in MODELS:
            message = f"there is no embedded model {str(model)!r}"
            raise InputError(Problem(message=message, hint=did_you_mean(model.name, MODELS)))
        self._waiting: list[tuple[Case, asyncio.Future[Response]]] = []

    async def ask(self, request: Request) -> Response:
        """Rule on one comparison; comparisons asked at once are ruled on together."""
        case = _case(request)
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self._rule, loop)
        answer: asyncio.Future[Response] = loop.create_future()
        self._waiting.append((case, answer))
        return await answer

    async def close(self) -> None:
        """Nothing is open."""

    def _rule(self, loop: asyncio.AbstractEventLoop) -> None:
        """Answer what waits."""
        batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
        if self._waiting:
            loop.call_soon(self._rule, loop)
        for (_, answer), ruling in zip(batch, rule([case for case, _ in batch]), strict=True):
            if not answer.done():
                answer.set_result(
                    Response(
                        text=json.dumps(
                            {
                                "language_a": ruling.language_a,
                                "language_b": ruling.language_b,
                                "reason": ruling.reason,
                                "verdict": ruling.verdict,
                            }
                        )
                    )
                )


def _case(request: Request) -> Case:
    """Read the comparison out of a judge's message.

    Raises:
        CallError: the request is not a comparison of two answers in the form of judges/offline-rules.yaml.
    """
    if request.kind is not Kind.GENERATE or request.labels:
        raise CallError(Fault.UNSUPPORTED, "offline/rules gives verdicts, not log probabilities")
    text = next((message.content for message in request.messages if message.role == "user"), "")
    material = _MATERIAL.search(text)
    # The language stands before the material: what an answer says of it is never read.
    expected = _EXPECTED.search(text, 0, material.start()) if material else None
    unreadable = CallError(Fault.UNSUPPORTED, "offline/rules reads what the judge offline-rules renders, and no other")
    if not material or not expected:
        raise unreadable
    try:
        values: Mapping[str, Any] = json.loads(material[2])
        return Case(
            request=_flat(values["request"]),
            expected=normalise(expected[1]),
            answer_a=_flat(values["answer_A"]),
            answer_b=_flat(values["answer_B"]),
        )
    except (KeyError, ValueError, TypeError):
        raise unreadable from None


def _flat(value: Any) -> str:
    """One text of a message, or of a conversation's turns."""
    if isinstance(value, str):
        return value
    turns = [turn if isinstance(turn, str) else turn["content"] for turn in value]
    return "\n\n".join(turns)
