"""`evalkit doctor`: what this machine has, and what a run would miss."""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import sys
from importlib import metadata
from typing import Any, NamedTuple

from evalkit.cli.options import DATA_VARIABLE, data_folder, ledger_path
from evalkit.cli.output import print_json
from evalkit.cli.parser import declare
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
    findings = [*_python(), *_packages(), *_engine(), *_keys(), *_places()]
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


def _places() -> list[Finding]:
    from evalkit.shipped import shipped_names

    ledger, data = ledger_path(), data_folder()
    return [
        Finding("ledger", f"{ledger}" if ledger.is_file() else "none yet in this folder"),
        Finding(DATA_VARIABLE, "not set" if not data else "set" if data.is_dir() else "set, but no such folder"),
        Finding("suites that ship", str(len(shipped_names("suites")))),
        Finding("judges that ship", str(len(shipped_names("judges")))),
    ]
