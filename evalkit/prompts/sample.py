"""What holds across languages: ids that translations share, and a sample that takes the same ids everywhere."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from evalkit.errors import Problem
from evalkit.prompts.rows import bare_id
from evalkit.records import Prompt

SHOWN = 5


def unshared_ids(ids: Mapping[str, set[str]], *, name: str) -> list[Problem]:
    """Return a problem for each language whose ids differ from the language that has most.

    Args:
        ids: Language → ids of its prompts.
        name: What messages call the source.
    """
    if len(ids) < 2:  # noqa: PLR2004  one language shares with none
        return []
    most = max(ids, key=lambda language: len(ids[language]))
    problems = []
    for language, own in ids.items():
        for less, more, lacking in ((own, ids[most], language), (ids[most], own, most)):
            absent = sorted(more - less)
            if absent:
                other = most if lacking == language else language
                shown = ", ".join(absent[:SHOWN]) + (" …" if len(absent) > SHOWN else "")
                message = f"{lacking} lacks {len(absent)} of the prompts that {other} has: {shown}"
                hint = "ids must be shared by all languages; write `parallel: false` where they are not"
                problems.append(Problem(where=name, message=message, hint=hint))
    return problems


def sample(prompts: Sequence[Prompt], *, limit: int | None, seed: int) -> tuple[Prompt, ...]:
    """Take `limit` prompts of each language, in their order: the same ids in every language that shares them.

    A prompt's place in the draw hangs on its id and the seed alone, so that a larger sample holds the smaller one and
    nothing that was answered is asked again.
    """
    if limit is None:
        return tuple(prompts)
    by_language: dict[str, list[Prompt]] = {}
    for prompt in prompts:
        by_language.setdefault(prompt.language, []).append(prompt)
    taken = {
        prompt.key
        for group in by_language.values()
        for prompt in sorted(group, key=lambda prompt: _place(bare_id(prompt.id, prompt.language), seed))[:limit]
    }
    return tuple(prompt for prompt in prompts if prompt.key in taken)


def _place(prompt_id: str, seed: int) -> str:
    return hashlib.sha256(f"{seed}:{prompt_id}".encode("utf-8", "surrogatepass")).hexdigest()
