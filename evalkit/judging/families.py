"""Which family a model belongs to: judges favour their own (Panickssery et al. 2024), so relatives are pointed out."""

from __future__ import annotations

import re
from collections.abc import Iterable

_FAMILIES = {
    "OpenAI": r"gpt-?\d|gpt-oss|chatgpt|davinci|\bo\d(?:-|$)|\bo\d\b",
    "Anthropic": r"claude",
    "Google": r"gemini|gemma|palm-2|\bbard\b",
    "Meta": r"llama(?!ndra)|\bopt-\d",
    "Mistral": r"mistral|mixtral|ministral|magistral|codestral|pixtral",
    "Qwen": r"qwen|\bqwq",
    "DeepSeek": r"deepseek",
    "Cohere": r"\baya|command-[ra]|c4ai|cohere",
    "Microsoft": r"\bphi-?\d|\bphi-",
    "xAI": r"grok",
    "Zhipu": r"glm-?\d|chatglm",
    "01.AI": r"\byi-(?:\d|large|lightning|medium|spark)",
    "Nvidia": r"nemotron",
    "Amazon": r"\bnova-(?:pro|lite|micro|premier)|titan-text",
    "Moonshot": r"kimi|moonshot",
    "BigScience": r"bloomz?\b|\bmt0",
    "TII": r"falcon",
    "AI21": r"jamba|jurassic",
    "EuroLLM": r"eurollm",
    "Apertus": r"apertus",
}


def family_of(name: str) -> str | None:
    """Return the family of a model, from its own name or the name it was derived from; None where unknown."""
    plain = name.casefold().replace("_", "-")
    found = ((match.start(), family) for family, words in _FAMILIES.items() if (match := re.search(words, plain)))
    return min(found, default=(0, None))[1]


def family_warning(judge_models: Iterable[str], models: Iterable[str]) -> str | None:
    """Say which of `models` (candidate, baseline) are of the family of a model under the judge; None where none is."""
    models = list(models)
    found = []
    for judge in judge_models:
        related = [
            model for model in dict.fromkeys(models) if family_of(model) and family_of(model) == family_of(judge)
        ]
        if related:
            found.append(f"{judge} and {' and '.join(related)} ({family_of(judge)})")
    return "; ".join(found) or None
