"""`evalkit doctor`: what this machine has, and what a run would miss."""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import sys
from datetime import timedelta
from importlib import metadata
from typing import Any, NamedTuple

from evalkit.cli.options import DATA_VARIABLE, PRICES_VARIABLE, data_folder, ledger_path, price_table
from evalkit.cli.output import print_json
from evalkit.cli.parser import declare
from evalkit.errors import InputError
from evalkit.extras import install_command
from evalkit.version import __version__

_PACKAGES = (
    "openai",
    "anthropic",
    "datasets",
    "pyarrow",
    "numpy",
    "scipy",
    "pandas",
    "plotly",
    "jinja2",
    "rich",
    "py3langid",
)
_OLD = timedelta(days=183)
_KEYS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "AZURE_OPENAI_API_KEY", "HF_TOKEN")


class Finding(NamedTuple):
    """One thing looked at."""

    what: str
    found: str
    advice: str = ""


def add_parser(commands: Any, summary: str) -> None:
    """Declare the command."""
    declare(commands, "doctor", summary, example="evalkit doctor", handler=run)


def run(args: argparse.Namespace) -> int:
    """Print what was found. Keys are named, never shown."""
    findings = [*_python(), *_packages(), *_engine(), *_keys(), *_models(), *_places()]
    if args.json:
        print_json([finding._asdict() for finding in findings])
        return 0
    width = max(len(finding.what) for finding in findings)
    for finding in findings:
        print(f"{finding.what:<{width}}  {finding.found}" + (f"  → {finding.advice}" if finding.advice else ""))
    return 0


def _python() -> list[Finding]:
    old = sys.version_info < (3, 11)
    return [
        Finding("evalkit", __version__),
        Finding("python", platform.python_version(), "install Python 3.11 or newer" if old else ""),
    ]


def _packages() -> list[Finding]:
    return [Finding(name, *_version(name, f"pip install {name}")) for name in _PACKAGES]


def _engine() -> list[Finding]:
    advice = f"{install_command('vllm')}, to run models in this process"
    devices = "not looked for without PyTorch"
    if importlib.util.find_spec("torch"):
        import torch

        count = torch.cuda.device_count()
        devices = ", ".join(torch.cuda.get_device_name(index) for index in range(count)) or "none"
    return [Finding("vllm", *_version("vllm", advice)), Finding("GPUs", devices)]


def _version(name: str, advice: str) -> tuple[str, str]:
    if importlib.util.find_spec(name) is None:
        return "missing", advice
    try:
        return metadata.version(name), ""
    except metadata.PackageNotFoundError:
        return "there, version unknown", ""


def _keys() -> list[Finding]:
    return [Finding(name, "set" if os.environ.get(name) else "not set") for name in _KEYS]


def _models() -> list[Finding]:
    """The dated table of models: its age, its roles, and which of their models are shut down or soon will be."""
    from evalkit.calls import Model
    from evalkit.catalogue import catalogue
    from evalkit.stages.model_notes import shutdown_notes, today

    table, day = catalogue(), today()
    old = "older than half a year: install a newer evalkit, or give newer prices with --prices FILE"
    findings = [Finding("table of models", f"{table.date}", old if day - table.date > _OLD else "")]
    for role, entry in table.roles.items():
        warnings = shutdown_notes([Model.parse(entry.model)], day=day)
        findings.append(Finding(f"role/{role}", entry.model, "; ".join(warnings)))
    return [*findings, _prices()]


def _prices() -> Finding:
    try:
        return Finding(PRICES_VARIABLE, price_table().name if os.environ.get(PRICES_VARIABLE) else "not set")
    except InputError as fault:
        return Finding(PRICES_VARIABLE, "set, but cannot be used", str(fault))


def _places() -> list[Finding]:
    from evalkit.shipped import shipped_names

    ledger, data = ledger_path(), data_folder()
    return [
        Finding("ledger", f"{ledger}" if ledger.is_file() else "none yet in this folder"),
        Finding(DATA_VARIABLE, "not set" if not data else "set" if data.is_dir() else "set, but no such folder"),
        Finding("suites that ship", str(len(shipped_names("suites")))),
        Finding("judges that ship", str(len(shipped_names("judges")))),
    ]
