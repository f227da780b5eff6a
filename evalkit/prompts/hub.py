"""Datasets of the Hub at a pinned revision; every way they can be out of reach becomes one message with its mend."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit

from evalkit.errors import DataError, Problem
from evalkit.prompts.tables import Table, read_table, table_of

PROBE = 3.0
"""Seconds to wait for the Hub before working from its cache alone; its own client tries for half a minute."""


def read_hub(hub: str, *, config: str | None, split: str, revision: str | None, path: str | None, advice: str) -> Table:
    """Read one table of a dataset: a split of a config, or one file (`path`) as it is.

    Raises:
        DataError: the dataset is out of reach, gated, or has no such revision, config, split or file.
    """
    _prefer_cache_when_offline()
    from datasets.exceptions import DatasetsError
    from huggingface_hub.errors import EntryNotFoundError

    place = "/".join(part for part in (hub, path or config, None if path else split) if part)
    try:
        if path is not None:
            from huggingface_hub import hf_hub_download

            return read_table(Path(hf_hub_download(hub, path, repo_type="dataset", revision=revision)), name=place)
        import datasets

        if not sys.stderr.isatty():
            datasets.disable_progress_bars()
        loaded = datasets.load_dataset(hub, config, split=split, revision=revision)
        return table_of(loaded.to_list(), name=place)
    except (OSError, ValueError, DatasetsError, EntryNotFoundError) as fault:
        raise DataError(_explain(fault, hub=hub, place=place, revision=revision, advice=advice)) from None


def _explain(fault: Exception, *, hub: str, place: str, revision: str | None, advice: str) -> Problem:
    """Return what went wrong and how to mend it, from the exceptions of datasets and huggingface_hub."""
    text = str(fault)
    names = {kind.__name__ for kind in type(fault).__mro__}
    page = f"https://huggingface.co/datasets/{hub}"
    if "GatedRepoError" in names or "gated dataset" in text:
        hint = f"accept its terms at {page}, log in with `hf auth login`, and run again; or {advice}"
        return Problem(where=place, message="the dataset is gated", hint=hint)
    if names & {"ConnectionError", "LocalEntryNotFoundError", "OfflineModeIsEnabled"}:
        return Problem(where=place, message=f"the Hub cannot be reached, and {hub} is not in its cache", hint=advice)
    if "RevisionNotFoundError" in names or "Revision" in text:
        return Problem(where=place, message=f"{hub} has no revision {revision!r}", hint=f"look at {page}/commits/main")
    if names & {"DatasetNotFoundError", "RepositoryNotFoundError"}:
        return Problem(
            where=place, message=f"there is no dataset {hub!r} on the Hub", hint=f"look at {page}, or {advice}"
        )
    first = text.strip().splitlines()[0] if text.strip() else type(fault).__name__
    return Problem(where=place, message=first, hint=f"look at {page}, or {advice}")


def _prefer_cache_when_offline() -> None:
    """Tell the Hub's client not to try for half a minute where the Hub is out of reach. It reads this when imported."""
    if "huggingface_hub" in sys.modules or "HF_HUB_OFFLINE" in os.environ:
        return
    if any(os.environ.get(name) for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")):
        return
    parts = urlsplit(os.environ.get("HF_ENDPOINT", "https://huggingface.co"))
    try:
        socket.create_connection((parts.hostname or "", parts.port or 443), timeout=PROBE).close()
    except OSError:
        os.environ["HF_HUB_OFFLINE"] = "1"
