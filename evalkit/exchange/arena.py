"""Votes of a human-preference arena: read, and sampled into a suite whose baseline is the arena's own answers.

Columns as in the public cards of lmarena-ai/arena-human-preference-140k (`model_a`, `model_b`, `winner`,
`conversation_a`, `conversation_b`, `language`) and ministere-culture/comparia-votes (`model_a_name`, `model_b_name`,
`chosen_model_name`, `both_equal`, `languages`). Both-are-bad counts as a tie, as the arenas' own ratings count it.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from evalkit.exchange.reader import FieldReader, SourceFile, SourceRow, read_rows
from evalkit.language.tags import normalise

UNKNOWN = "und"
"""Language of a battle whose language is not known: it counts for the scale, and is not sampled."""
WINNERS = {"model_a": 1.0, "a_better": 1.0, "model_b": 0.0, "b_better": 0.0}
WINNERS |= dict.fromkeys(("tie", "both_bad", "tie (bothbad)", "both_good", "both_equal", "equal"), 0.5)
MODEL = "arena_model"
"""Field of a sampled prompt that names the model whose answer is the baseline."""
BATTLE = "arena_battle"
"""Field of a sampled prompt that names its battle; the prompt's own id tells languages apart too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Battle:
    """One vote of a person on two models' answers."""

    id: str
    language: str
    model_a: str
    model_b: str
    vote: float
    """1 = A is better, 0 = B is, ½ = neither."""
    prompt: str = ""
    """The question; "" where the battle has several turns or no text, and so cannot be asked again."""
    answer_a: str = ""
    answer_b: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampledBattle:
    """A sampled battle, and which of its answers candidates are compared with."""

    battle: Battle
    first: bool
    """Whether that is A's."""

    @property
    def model(self) -> str:
        """Who wrote the answer."""
        return self.battle.model_a if self.first else self.battle.model_b

    @property
    def answer(self) -> str:
        """The answer."""
        return self.battle.answer_a if self.first else self.battle.answer_b


def read_battles(sources: Sequence[SourceFile]) -> list[Battle]:
    """Return the battles of the files.

    Raises:
        DataError: everything that is wrong, with file, row and value.
    """
    reader = FieldReader()
    found: dict[str, Battle] = {}
    for source in sources:
        for row in read_rows(source):
            battle = _battle(reader, row)
            if battle.id in found:
                reader.fail(row, f"the battle {battle.id!r} stands twice", "keep one of them", kind="twice")
            found[battle.id] = battle
    reader.check()
    return list(found.values())


def sample(
    battles: Iterable[Battle], *, per_language: int, seed: int = 0, languages: Sequence[str] = ()
) -> list[SampledBattle]:
    """Return up to `per_language` battles of each language, with a side drawn for each; the same for the same seed.

    Only battles of one turn and a known language are drawn. Draws do not depend on which other battles there are.
    """
    ordered: dict[str, list[tuple[bytes, Battle]]] = defaultdict(list)
    for battle in battles:
        usable = battle.prompt and battle.answer_a and battle.answer_b and battle.language != UNKNOWN
        if usable and (not languages or battle.language in languages):
            ordered[battle.language].append((hashlib.sha256(f"{seed}:{battle.id}".encode()).digest(), battle))
    return [
        SampledBattle(battle=battle, first=place[-1] % 2 == 0)
        for language in sorted(ordered)
        for place, battle in sorted(ordered[language], key=lambda item: item[0])[:per_language]
    ]


def suite_files(drawn: Sequence[SampledBattle], *, name: str, own_pairs: bool = False) -> dict[str, bytes]:
    """Return a suite's files by path: `suite.yaml`, prompts and answers by language.

    Args:
        drawn: sampled battles.
        name: of the suite.
        own_pairs: put the arena's model A as the candidate against its model B, so that the judge can be held against
            the people's votes on the same pairs.
    """
    languages = sorted({item.battle.language for item in drawn})
    suite: dict[str, Any] = {
        "name": name,
        "about": {"title": name, "description": "Prompts and answers sampled from a human-preference arena."},
        "languages": languages,
        "prompts": {
            "files": "prompts/{language}.jsonl",
            "columns": {"id": "id", "text": "prompt", MODEL: MODEL, BATTLE: "id"},
            "parallel": False,
        },
        "baseline": {"name": "arena-b" if own_pairs else "arena", "model": "recorded/answers/{language}.jsonl"},
    }
    if own_pairs:
        suite["candidates"] = [{"name": "arena-a", "model": "recorded/answers-a/{language}.jsonl"}]
    files = {"suite.yaml": yaml.safe_dump(suite, allow_unicode=True, sort_keys=False).encode()}
    for language in languages:
        rows = [item for item in drawn if item.battle.language == language]
        asked = [{"id": item.battle.id, MODEL: item.model, "prompt": item.battle.prompt} for item in rows]
        files[f"prompts/{language}.jsonl"] = _lines(asked)
        answers = [item.battle.answer_b if own_pairs else item.answer for item in rows]
        files[f"answers/{language}.jsonl"] = _lines(_answers(rows, answers))
        if own_pairs:
            files[f"answers-a/{language}.jsonl"] = _lines(_answers(rows, [item.battle.answer_a for item in rows]))
    return files


def _battle(reader: FieldReader, row: SourceRow) -> Battle:
    fields = row.fields
    names = [reader.text(row, _key(fields, f"model_{side}", f"model_{side}_name")) for side in "ab"]
    turns = [_turns(fields.get(f"conversation_{side}")) for side in "ab"]
    one_turn = all(len(turn) == 2 and turn[0][0] == "user" and turn[1][0] == "assistant" for turn in turns)  # noqa: PLR2004
    same = one_turn and turns[0][0] == turns[1][0]
    return Battle(
        id=reader.text(row, _key(fields, "id", "question_id", "comparison_id")),
        language=_language(row),
        model_a=names[0],
        model_b=names[1],
        vote=_vote(reader, row, names),
        prompt=turns[0][0][1] if same else "",
        answer_a=turns[0][1][1] if same else "",
        answer_b=turns[1][1][1] if same else "",
    )


def _key(fields: Mapping[str, Any], *names: str) -> str:
    return next((name for name in names if name in fields), names[0])


def _vote(reader: FieldReader, row: SourceRow, names: Sequence[str]) -> float:
    fields = row.fields
    if str(fields.get("both_equal")).casefold() == "true":
        return 0.5
    chosen = fields.get(_key(fields, "winner", "choice", "chosen_model_name"))
    if isinstance(chosen, str) and chosen in WINNERS:
        return WINNERS[chosen]
    if chosen in names and names[0] != names[1]:
        return float(chosen == names[0])
    hint = f"one of: model_a, model_b, tie, both_bad, or {' or '.join(names)}"
    reader.fail(row, f"the vote is {chosen!r}", hint, kind="vote")
    return 0.5


def _language(row: SourceRow) -> str:
    value = row.fields.get(_key(row.fields, "language", "languages"))
    word = value[0] if isinstance(value, list) and value else value
    try:
        return normalise(str(word))
    except ValueError:
        return UNKNOWN


def _turns(conversation: Any) -> list[tuple[str, str]]:
    """Return (role, text) of a conversation's messages; contents are text, or parts of which some are text."""
    if isinstance(conversation, str):
        try:
            conversation = json.loads(conversation)
        except ValueError:
            return []
    if not isinstance(conversation, list):
        return []
    return [
        (str(turn.get("role")), _text(turn.get("content")))
        for turn in conversation
        if isinstance(turn, Mapping) and turn.get("role") != "system"
    ]


def _text(content: Any) -> str:
    if isinstance(content, list):
        return "\n".join(str(part.get("text") or "") for part in content if isinstance(part, Mapping)).strip()
    return str(content or "")


def _answers(rows: Sequence[SampledBattle], texts: Sequence[str]) -> list[dict[str, str]]:
    return [{"id": item.battle.id, "answer": text} for item, text in zip(rows, texts, strict=True)]


def _lines(rows: Iterable[Mapping[str, str]]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode("utf-8", "replace")
