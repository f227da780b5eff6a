"""The kinds of judges."""

from __future__ import annotations

from enum import StrEnum


class JudgeKind(StrEnum):
    """What a judge's reply is, and how it becomes a verdict."""

    LABEL = "label"
    """It names the better answer, or a tie."""
    LEVELS = "levels"
    """It places the pair on a scale from A>>B to B>>A."""
    PROBABILITY = "probability"
    """It writes one token; the probabilities of the labels are the preference."""
    SCORE = "score"
    """It scores each answer by itself; the higher score wins."""
    REWARD = "reward"
    """Two models give log probabilities of each answer; the higher implicit reward wins."""
