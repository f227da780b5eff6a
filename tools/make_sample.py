"""Make what is committed but generated: the sample report, its screenshot, the README's help block, the table of roles.

python tools/make_sample.py            write them
python tools/make_sample.py --readme   only the README's block and docs/judges.md's table
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

from evalkit.catalogue import catalogue
from evalkit.cli.main import COMMANDS
from evalkit.dispatch import Limits, Quiet
from evalkit.pipeline import Job, run
from evalkit.suite import load_suite

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "reports" / "sample"
"""Not where `evalkit run quickstart` puts its run, so that trying it changes nothing that is committed."""
README = ROOT / "README.md"
JUDGES = ROOT / "docs" / "judges.md"


def make_run(out: Path, ledger: Path) -> None:
    """Run the quickstart into `out`, as `evalkit run quickstart` does."""
    job = Job(
        loaded=load_suite(ROOT / "suites" / "quickstart.yaml"),
        ledger=ledger,
        limits=Limits(),
        out=out,
        command=["evalkit", "run", "quickstart"],
    )
    asyncio.run(run(job, progress=Quiet()))


def help_block() -> str:
    """Return the commands and what they do, as the README shows them."""
    width = max(map(len, COMMANDS))
    return "\n".join(f"evalkit {name:<{width}}  {summary}" for name, summary in COMMANDS.items())


def readme(text: str) -> str:
    """Return the README with its generated block as it should be."""
    return re.sub(r"(<!-- help -->\n```\n).*?(```)", lambda m: f"{m[1]}{help_block()}\n{m[2]}", text, flags=re.DOTALL)


def judges_page(text: str) -> str:
    """Return docs/judges.md with its table of roles as it should be."""
    rows = [
        f"| `role/{name}` | `{entry.model}` | {entry.date} | {entry.reason} |\n"
        for name, entry in catalogue().roles.items()
    ]
    head = "| role | model | since | chosen because it |\n|---|---|---|---|\n"
    return re.sub(r"(<!-- roles -->\n)(?:\|.*\n)*", lambda m: f"{m[1]}{head}{''.join(rows)}", text)


def screenshot(page: Path, image: Path) -> None:
    """Take the README's picture of a report, with any Chromium there is."""
    from playwright.sync_api import sync_playwright

    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with sync_playwright() as browsers, tempfile.TemporaryDirectory() as profile:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
        context = browsers.chromium.launch_persistent_context(
            profile, executable_path=chromium, headless=True, args=flags, viewport={"width": 1200, "height": 860}
        )
        tab = context.new_page()
        tab.goto(page.as_uri())
        tab.wait_for_timeout(2000)
        tab.screenshot(path=image)
        context.close()


def main() -> None:
    """Write what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readme", action="store_true", help="only the README's block and the roles")
    only_readme = parser.parse_args().readme
    README.write_text(readme(README.read_text("utf-8")), "utf-8")
    JUDGES.write_text(judges_page(JUDGES.read_text("utf-8")), "utf-8")
    if only_readme:
        return
    # Elsewhere than in the repository, so that no revision is written into the sample.
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        make_run(SAMPLE, Path(folder) / "ledger.sqlite")
    (SAMPLE / ".made-from").unlink()
    image = ROOT / "docs" / "images" / "report.png"
    image.parent.mkdir(exist_ok=True)
    screenshot(SAMPLE / "report.html", image)
    sys.stdout.write(f"{os.path.relpath(SAMPLE)}: {sum(p.stat().st_size for p in SAMPLE.iterdir()) / 1e6:.2f} MB\n")


if __name__ == "__main__":
    main()
