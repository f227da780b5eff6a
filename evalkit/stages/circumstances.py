"""How a run came about: what its records do not hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What a run's results say of how it came about."""

    suite: Mapping[str, Any]
    cost: Mapping[str, Any]
    provenance: Mapping[str, Any]
    incomplete: Mapping[str, Any] | None
    """Why nothing more was asked and how to go on; None for a complete run."""
