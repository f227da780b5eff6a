"""How fast the report opens and filters in Chromium, beside a page with every row and text in its document.

    python benchmarks/report.py [--rows 4025]

Both hold the same 4,025 examples (805 prompts in 5 languages). The report must paint first in 1 s, be at most 6 MB and
filter in 100 ms; the ratio to the plain page says what the index, the window and the packed texts are worth.
"""

from __future__ import annotations

import html
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from _support import absent, parser
from playwright.sync_api import Browser, sync_playwright

from evalkit.report.page import build_page
from evalkit.results import RunData
from tests.report.conftest import CHROMIUM, SWITCHES
from tests.report.make_run import make_run

LANGUAGES = ("en", "de", "ar", "th", "zh")
ALLOWED = {"MB": 6.0, "first paint": 1000.0, "filter": 100.0}
WATCH = """
window.readyAt = null;
new MutationObserver(() => { if (document.documentElement?.dataset.ready) window.readyAt ??= performance.now(); })
  .observe(document, {attributes: true, subtree: true, attributeFilter: ['data-ready']});
"""
FILTER = """() => {
  const form = document.getElementById('filters');
  form.language.value = '1';
  const start = performance.now();
  form.sort.dispatchEvent(new Event('input', {bubbles: true}));
  document.body.offsetHeight;
  return performance.now() - start;
}"""
PLAIN_FILTER = """() => {
  const start = performance.now();
  for (const row of document.querySelectorAll('tbody tr')) row.hidden = row.dataset.language !== 'de';
  document.body.offsetHeight;
  return performance.now() - start;
}"""


def main() -> int:
    """Print a table; exit 1 where the report is slower or larger than allowed (a small run is too short to tell)."""
    args = parser(__doc__, rows=(4025, 100), repeats=(3, 1)).parse_args()
    if CHROMIUM is None:
        return absent("browser", "no Chromium: apt-get install chromium")
    run = make_run(LANGUAGES, prompts=args.rows // len(LANGUAGES), n_resamples=0)
    start = time.perf_counter()
    page = build_page(run)
    print(
        f"{page.examples:,} examples, {page.carried:,} with their texts, written in {time.perf_counter() - start:.1f} s"
    )
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[f"--{switch}" for switch in SWITCHES])
        own = measure(browser, Path(folder) / "report.html", page.html, FILTER, args.repeats)
        peer = measure(browser, Path(folder) / "plain.html", plain(run), PLAIN_FILTER, args.repeats)
        browser.close()
    for name, value in own.items():
        print(f"{name:12} {value:8.1f}   plain page {peer[name]:8.1f}   ratio {peer[name] / value:5.1f}")
    return int(not args.small and any(own[name] > most for name, most in ALLOWED.items()))


def measure(browser: Browser, path: Path, text: str, filtering: str, repeats: int) -> dict[str, float]:
    """Return size and the median milliseconds to first paint, until usable, and of one filter with its layout."""
    path.write_text(text, encoding="utf-8")
    seen = sorted((_visit(browser, path, filtering) for _ in range(repeats)), key=lambda found: found["usable"])
    return {"MB": len(text.encode()) / 1e6, **seen[repeats // 2]}


def _visit(browser: Browser, path: Path, filtering: str) -> dict[str, float]:
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    context.add_init_script(WATCH)
    page: Any = context.new_page()
    page.set_default_timeout(120_000)
    page.goto(path.as_uri())
    while page.evaluate("window.readyAt") is None:
        time.sleep(0.05)
    time.sleep(1)  # the charts draw
    found = {
        "first paint": page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"),
        "usable": page.evaluate("window.readyAt"),
        "filter": page.evaluate(filtering),
    }
    context.close()
    return found


def plain(run: RunData) -> str:
    """Return the same examples as one table with every text in the document."""
    rows = [
        f'<tr data-language="{prompt.language}"><td>{prompt.id}</td><td>{html.escape(prompt.text)}</td>'
        f"<td>{html.escape(ours.text)}</td><td>{html.escape(theirs.text)}</td></tr>"
        for prompt, ours, theirs in zip(run.prompts, run.candidate_answers, run.baseline_answers, strict=True)
    ]
    ready = "<script>document.documentElement.dataset.ready = 'yes'</script>"
    return f"<!doctype html><meta charset=utf-8><table><tbody>{''.join(rows)}</tbody></table>{ready}"


if __name__ == "__main__":
    sys.exit(main())
