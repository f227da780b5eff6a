"""Groups of languages: by script, by resource class, by family."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evalkit.language.tags import describe
from evalkit.statistics.figures import Figures, Floats


def groups_of(languages: Sequence[str], figures: Figures) -> dict[str, Floats]:
    """Return `kind=group` → (L,) weights of the mean over the group's languages that have a figure.

    A kind that does not divide the languages (all in one script) gives no groups.
    """
    known = np.isfinite(figures.values)
    found: dict[str, Floats] = {}
    described = [_describe(language) for language in languages]
    for kind in ("script", "resource", "family"):
        names = [each.get(kind, "") for each in described]
        groups = sorted(set(filter(None, names)))
        if len(groups) > 1:
            for group in groups:
                members = known & np.array([name == group for name in names])
                found[f"{kind}={group}"] = members / max(int(members.sum()), 1)
    return found


def _describe(tag: str) -> dict[str, str]:
    """Return what is known of a language; nothing of a tag that no table knows."""
    try:
        language = describe(tag)
    except ValueError:
        return {}
    return {"script": language.script, "resource": language.resource or "", "family": language.family}
