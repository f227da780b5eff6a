"""The verdict in a sentence: who is ahead, by how much, how sure, in which languages. One text for every renderer."""

from __future__ import annotations

from dataclasses import dataclass

from evalkit.report.view import View
from evalkit.results import Results
from evalkit.text import wording
from evalkit.words import CONTROLLED, IN_LANGUAGE, OF_BASELINE, metric

OFFLINE = (
    "Judged by the embedded offline rules, not by a model: this shows that the machinery works and says nothing about "
    "quality."
)
_STANDING = {
    "better": "is ahead of",
    "worse": "is behind",
    "unclear": "is not clearly different from",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The headline in its parts, so that HTML can mark the names and text need not."""

    warning: str
    """What must be read before the sentence; "" where nothing must."""
    candidate: str
    standing: str
    """is ahead of, is behind, is not clearly different from."""
    claim: str
    baseline: str
    detail: str
    """The figure, its interval, and the languages by name."""

    def __str__(self) -> str:
        sentence = f"{self.candidate} {self.standing} {self.baseline}: {self.detail}"
        return f"{self.warning} {sentence}" if self.warning else sentence


def summarize(results: Results) -> Summary:
    """Return the headline of a run's results."""
    view = View(results)
    if not view.judges and view.figure(IN_LANGUAGE, view.overall).defined:
        return _adherence(view)
    claim = view.claim(view.overall)
    return Summary(
        warning=OFFLINE if view.offline else "",
        candidate=view.candidate,
        standing=_STANDING[claim] if view.headline_figure.defined else "could not be compared with",
        claim=claim,
        baseline=view.baseline,
        detail=f"{_figure(view)}{_languages(view)}",
    )


def _adherence(view: View) -> Summary:
    """Say how far answers keep to the language asked for: all there is to say where no judge was asked."""
    ours, theirs = (view.first_defined(name) for name in (IN_LANGUAGE, OF_BASELINE + IN_LANGUAGE))
    apart = ours.bounded and theirs.bounded and (ours.low > theirs.high or ours.high < theirs.low)
    claim = "unclear" if not apart else "better" if ours.value > theirs.value else "worse"
    often = {"better": "more often than", "worse": "less often than", "unclear": "about as often as"}[claim]
    bounds = f" ({_confidence(view)} interval {wording.interval(ours.low, ours.high)})" if ours.bounded else ""
    over = f", the mean over {len(view.languages)} languages" if len(view.languages) > 1 else ""
    return Summary(
        warning="",
        candidate=view.candidate,
        standing=f"keeps to the language it is asked in {often}",
        claim=claim,
        baseline=view.baseline,
        detail=f"{wording.percent(ours.value)} of its answers{bounds} against {wording.percent(theirs.value)}{over}. "
        "No judge was asked.",
    )


def headline(results: Results) -> str:
    """Return the headline as plain text."""
    return str(summarize(results))


def _figure(view: View) -> str:
    figure = view.headline_figure
    if not figure.defined:
        return f"no win rate could be computed ({figure.method})."
    level = _confidence(view)
    bounds = f" ({level} interval {wording.interval(figure.low, figure.high)})" if figure.bounded else " (no interval)"
    over = f", the mean over {len(view.languages)} languages" if len(view.languages) > 1 else ""
    return f"{metric(figure.metric).title} {wording.percent(figure.value)}{bounds}{over}.{_without_control(view)}"


def _without_control(view: View) -> str:
    """Why the headline is not length-controlled; "" where it is."""
    if view.headline_figure.metric == CONTROLLED:
        return ""
    controlled = view.figure(CONTROLLED, view.overall)
    if controlled.defined:
        return f" Length control is possible in {view.controlled_languages} of {len(view.languages)} languages only."
    return f" Length control is not available: {controlled.method}."


def _confidence(view: View) -> str:
    estimates = view.results.estimates
    return f"{100 * estimates[0].confidence_level:g}%" if estimates else "95%"


def _languages(view: View) -> str:
    if len(view.languages) < 2 or not view.headline_figure.defined:  # noqa: PLR2004
        return ""
    named = {claim: [row.name for row in view.language_rows if row.claim == claim] for claim in _STANDING}
    better, worse, unclear = named["better"], named["worse"][::-1], named["unclear"]
    parts = [
        f"Better in {len(better)} ({wording.listing(better)})." if better else "",
        f"Worse in {len(worse)} ({wording.listing(worse)})." if worse else "",
        f"Undecided in {len(unclear)}." if unclear else "",
    ]
    return " " + " ".join(filter(None, parts))
