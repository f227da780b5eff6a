"""What a judge of single answers noted of them, as shares: harmful rate, refusal rate."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from statistics import fmean

from evalkit.judging.definition import JudgeDefinition
from evalkit.records import Verdict

Key = tuple[str, str]
"""(language, prompt id)."""


def rates(
    definitions: Mapping[str, JudgeDefinition], verdicts: Iterable[Verdict]
) -> dict[str, dict[str, dict[Key, float]]]:
    """Return judge → figure → pair → 1 where the answer has the words of the figure, else 0; a mean over repeats.

    The candidate's figure has the name that the definition gives it, the baseline's has `baseline_` before it.
    `definitions` are by judge name.
    """
    found: dict[str, dict[str, dict[Key, list[float]]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for verdict in verdicts:
        definition = definitions.get(verdict.judge)
        for name, wanted in definition.rates.items() if definition else ():
            # Judges of single answers have the forward order only: A is the candidate.
            for side, figure in (("a", name), ("b", f"baseline_{name}")):
                has = all(verdict.notes.get(f"{field}_{side}") in words for field, words in wanted.items())
                found[verdict.judge][figure][verdict.language, verdict.prompt_id].append(float(has))
    return {
        judge: {figure: {key: fmean(values) for key, values in by_pair.items()} for figure, by_pair in figures.items()}
        for judge, figures in found.items()
    }
