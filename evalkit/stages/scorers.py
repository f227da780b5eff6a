"""Score: single answers by installed plug-ins, such as toxicity, for the profile of the texts.

A scorer is a function that its package declares under the entry point group `evalkit.scorers`; a suite names it
(docs/statistics.md has an example).
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence

from evalkit.errors import InputError, Problem, SuiteError, did_you_mean, raise_all
from evalkit.plugins import installed_plugins, load_plugin
from evalkit.records import Generation
from evalkit.statistics.pairs import Key
from evalkit.statistics.text_measures import MEASURES, Scores

GROUP = "evalkit.scorers"
Scorer = Callable[[str, str], float]
"""(text, language) → the score of one answer; NaN abstains."""

log = logging.getLogger(__name__)


def scorers(names: Sequence[str]) -> dict[str, Scorer]:
    """Return the plug-ins of these names.

    Raises:
        SuiteError: one is not installed, cannot be imported or is called as a measure of ours.
    """
    installed = installed_plugins(GROUP) if names else {}
    loaded: dict[str, Scorer] = {}
    problems = []
    for name in dict.fromkeys(names):
        where = f"statistics.profile_scorers: {name}"
        if name in MEASURES:
            problems.append(Problem(where=where, message="the profile has a measure of that name"))
        elif name not in installed:
            hint = did_you_mean(name, list(installed)) or f"install a package that declares it under {GROUP}"
            problems.append(Problem(where=where, message="no such scorer is installed", hint=hint))
        else:
            try:
                loaded[name] = load_plugin(GROUP, name, where=where)
            except InputError as fault:
                problems += fault.problems
    raise_all(problems, SuiteError)
    return loaded


def score(names: Sequence[str], answers: Mapping[str, Sequence[Generation]]) -> Scores:
    """Return every plug-in's scores of both sides' answers, side → generations; an answer it fails on has none.

    Raises:
        SuiteError: see `scorers`.
    """
    return {
        name: {side: _scored(name, scorer, generations) for side, generations in answers.items()}
        for name, scorer in scorers(names).items()
    }


def _scored(name: str, scorer: Scorer, answers: Sequence[Generation]) -> dict[Key, float]:
    scores: dict[Key, float] = {}
    faults = []
    for answer in answers:
        try:
            scores[answer.key] = float(scorer(answer.text, answer.language)) if answer.text.strip() else math.nan
        except Exception as fault:  # noqa: BLE001 - other people's code, and one answer must not end a run
            faults.append(fault)
    if faults:
        first = f"{type(faults[0]).__name__}: {faults[0]}"
        log.warning("scorer %s failed on %d of %d answers, first: %s", name, len(faults), len(answers), first)
    return scores
