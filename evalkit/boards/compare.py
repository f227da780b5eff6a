"""Two candidates against the same baseline: the paired difference, the prompts that flipped, and a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evalkit.boards.words import p_words, signed
from evalkit.records import MACRO, MICRO, PANEL, RunRecords
from evalkit.report.view import language_name
from evalkit.report.wording import listing
from evalkit.settings import StatisticsSettings
from evalkit.statistics.paired import Difference
from evalkit.statistics.paired import compare as paired_differences


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """A prompt whose winner is another one: won by one candidate, lost by the other."""

    language: str
    prompt_id: str
    judge: str
    first: float
    """The first candidate's score against the baseline."""
    second: float
    prompt: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """What is known of the first candidate less the second."""

    first: str
    second: str
    baseline: str
    judge: str
    """The judge of the sentence: the panel where there is one."""
    confidence_level: float
    differences: tuple[Difference, ...]
    flips: tuple[Flip, ...]
    """Those where the first lost and the second won before the others, then by language and id."""
    sentence: str


def compare_runs(
    first: RunRecords, second: RunRecords, settings: StatisticsSettings, *, judge: str | None = None
) -> Paired:
    """Return the paired comparison of two runs that are comparable."""
    differences = paired_differences(first, second, settings)
    judges = list(dict.fromkeys(item.judge for item in differences))
    chosen = judge or (PANEL if PANEL in judges else judges[0] if judges else "")
    names = (first.candidate, second.candidate)
    if names[0] == names[1]:
        names = (f"{names[0]} (first)", f"{names[1]} (second)")
    return Paired(
        first=names[0],
        second=names[1],
        baseline=first.baseline,
        judge=chosen,
        confidence_level=settings.confidence_level,
        differences=differences,
        flips=tuple(_flips(first, second)),
        sentence=_sentence(names, [item for item in differences if item.judge == chosen], settings),
    )


def _flips(first: RunRecords, second: RunRecords) -> list[Flip]:
    other = {(item.judge, *item.key): item.score for item in second.outcomes}
    texts = {prompt.key: prompt.text for prompt in first.prompts}
    found = []
    for item in first.outcomes:
        score = other.get((item.judge, *item.key))
        if score is not None and (item.score - 0.5) * (score - 0.5) < 0:
            found.append(
                Flip(
                    language=item.language,
                    prompt_id=item.prompt_id,
                    judge=item.judge,
                    first=item.score,
                    second=score,
                    prompt=texts.get(item.key, ""),
                )
            )
    return sorted(found, key=lambda flip: (flip.first > flip.second, flip.language, flip.prompt_id, flip.judge))


def _sentence(names: tuple[str, str], rows: Sequence[Difference], settings: StatisticsSettings) -> str:
    """Say in words what the win rates allow to say."""
    rates = {row.language: row for row in rows if row.metric == "win_rate"}
    mean = rates.get(MACRO)
    if mean is None or not mean.n:
        return f"{names[0]} and {names[1]} share no scored pairs: nothing can be compared."
    alpha = 1 - settings.confidence_level
    tags = [tag for tag in rates if tag not in {MACRO, MICRO}]
    better = [tag for tag in tags if rates[tag].p_holm <= alpha and rates[tag].value > 0]
    worse = [tag for tag in tags if rates[tag].p_holm <= alpha and rates[tag].value < 0]
    interval = f"{signed(mean.value)} points, {100 * settings.confidence_level:g}% interval {signed(mean.low)} to "
    interval += f"{signed(mean.high)}, {p_words(mean.p_value)}"
    if mean.p_value <= alpha:
        word = "better" if mean.value > 0 else "worse"
        head = f"{names[0]} is {word} than {names[1]} ({interval})"
    else:
        head = f"{names[0]} and {names[1]} cannot be told apart ({interval})"
    if len(tags) < 2:  # noqa: PLR2004  one language is its own mean
        return f"{head}."
    parts = [f"better in {_languages(better)}"] if better else []
    parts += [f"worse in {_languages(worse)}"] if worse else []
    rest = len(tags) - len(better) - len(worse)
    parts += [f"undecided in {rest} of {len(tags)} languages"] if rest else []
    return f"{head}; {', '.join(parts)} (Holm-adjusted)."


def _languages(tags: Sequence[str]) -> str:
    return listing([language_name(tag) for tag in tags])
