"""evalkit: multilingual win-rate evaluation.

In a notebook: `evalkit.load`, `evalkit.compare`, `evalkit.check`, `evalkit.leaderboard` (see `evalkit.notebook`). They
are found when they are first used, so that `import evalkit` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evalkit.version import __version__

if TYPE_CHECKING:
    from evalkit.notebook import Board, Comparison, Plot, Run, check, compare, leaderboard, load

__all__ = ["Board", "Comparison", "Plot", "Run", "__version__", "check", "compare", "leaderboard", "load"]


def __getattr__(name: str) -> Any:
    """Return a public name, imported now."""
    if name in __all__:
        import evalkit.notebook

        return getattr(evalkit.notebook, name)
    message = f"module 'evalkit' has no attribute {name!r}"
    raise AttributeError(message)


def __dir__() -> list[str]:
    return sorted(__all__)
