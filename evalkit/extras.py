"""How to install an extra of evalkit from where this one came: no registry has the package yet."""

from __future__ import annotations

import json
import shlex
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

DISTRIBUTION = "multilingual-evalkit"


def install_command(extra: str) -> str:
    """Return the command that installs `extra`: from the checkout or the archive that evalkit was installed from."""
    source = _source()
    if source is None:
        return f"pip install '.[{extra}]' in a checkout of evalkit"
    return f"pip install {shlex.quote(f'{source}[{extra}]')}"


def _source() -> Path | None:
    """Return the folder or archive that evalkit was installed from, as pip noted it (PEP 610), if it is still there."""
    try:
        noted = metadata.distribution(DISTRIBUTION).read_text("direct_url.json")
        url = urlsplit(json.loads(noted)["url"] if noted else "")
    except (metadata.PackageNotFoundError, ValueError, KeyError):
        return None
    path = Path(url2pathname(url.path))
    return path if url.scheme == "file" and path.exists() else None
