"""preference-pairs: prompt, chosen, rejected, in the conversational layout of TRL's preference trainers.

One line a pair that has a winner. By default only pairs on which every order and every judge agree, and whose chosen
answer is in the language it should be in: feedback data, not noise (RLHF Can Speak Many Languages, Dang et al. 2024).
"""

from __future__ import annotations

import math
from collections import Counter
from statistics import fmean
from typing import Any

from evalkit.exchange.exporters import Export, ExportOptions
from evalkit.exchange.exporters._pairs import Pair, json_lines, pairs
from evalkit.records import Generation, LanguageStatus, RunRecords


def write(run: RunRecords, options: ExportOptions) -> Export:
    """Return JSON lines, and how many pairs were left out and why."""
    left_out: Counter[str] = Counter()
    rows = []
    for pair in pairs(run, judge=options.judge):
        reason = _why_not(run, pair, options)
        if reason:
            left_out[reason] += 1
        else:
            rows.append(_row(run, pair))
    notes = [f"{len(rows):,} pairs", *(f"{count:,} left out: {reason}" for reason, count in left_out.most_common())]
    return Export(files={"": json_lines(rows)}, notes=tuple(notes))


def agreement(pair: Pair) -> float:
    """Return the share of the pair's verdicts that name its winner; NaN without verdicts."""
    winner = pair.score > 0.5  # noqa: PLR2004  the middle of the scale
    scores = [verdict.candidate_preference for verdict in pair.verdicts]
    return fmean((score > 0.5) if winner else (score < 0.5) for score in scores) if scores else math.nan  # noqa: PLR2004


def _why_not(run: RunRecords, pair: Pair, options: ExportOptions) -> str:
    """Return why a pair is no training example, "" where it is one."""
    if pair.candidate is None or pair.baseline is None:
        return "an answer is missing"
    if math.isnan(pair.score):
        return "a verdict is missing"
    if pair.score == 0.5:  # noqa: PLR2004  a tie
        return "no winner"
    if not options.disagreeing and agreement(pair) < 1:
        return "orders or judges disagree"
    if _margin(pair) < options.min_margin:
        return "the margin is too small"
    checks = run.candidate_checks if pair.score > 0.5 else run.baseline_checks  # noqa: PLR2004
    check = checks.get(pair.prompt.key)
    return "the chosen answer is in another language" if check and check.status is LanguageStatus.WRONG else ""


def _row(run: RunRecords, pair: Pair) -> dict[str, Any]:
    assert pair.candidate is not None
    assert pair.baseline is not None
    sides = (pair.candidate, pair.baseline)
    names = (run.candidate, run.baseline)
    if pair.score < 0.5:  # noqa: PLR2004
        sides, names = sides[::-1], names[::-1]
    turns = [{"role": message.role, "content": message.content} for message in pair.prompt.messages]
    first = next((place for place, turn in enumerate(turns, 1) if turn["role"] == "user"), len(turns))
    start = first if any(side.earlier for side in sides) else len(turns)
    return {
        "prompt": turns[:start],
        "chosen": _completion(turns[start:], sides[0]),
        "rejected": _completion(turns[start:], sides[1]),
        "margin": _margin(pair),
        "agreement": agreement(pair),
        "language": pair.prompt.language,
        "judge": pair.judge,
        "id": pair.prompt.id,
        "chosen_model": names[0],
        "rejected_model": names[1],
    }


def _completion(rest: list[dict[str, str]], answer: Generation) -> list[dict[str, str]]:
    """Return the conversation from the first answer on: with several turns, both sides have their own."""
    answers = [{"role": "assistant", "content": text} for text in (*answer.earlier, answer.text)]
    turns = [turn for said, asked in zip(answers, rest, strict=False) for turn in (said, asked)]
    return [*turns, answers[-1]]


def _margin(pair: Pair) -> float:
    """How clearly the pair was won: 0 a tie, 1 every verdict."""
    return abs(2 * pair.score - 1)
