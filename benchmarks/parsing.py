"""How fast verdicts are read: 100,000 replies must take less than 10 s on one core.

python benchmarks/parsing.py
"""

from __future__ import annotations

import itertools
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from evalkit.calls import Response
from evalkit.judging.definition import JudgeDefinition
from evalkit.judging.outcomes import outcomes
from evalkit.judging.reading import Unreadable, read
from evalkit.records import Verdict
from tests.judging.pairs import comparisons, shipped_judge
from tests.judging.real_replies import REPLIES

COUNT = 100_000
ALLOWED = 10.0
PROSE = "Answer A keeps to the question and says why; answer B repeats itself and invents a date. " * 8


def main() -> int:
    """Print a table; exit 1 where a kind of judge is slower than allowed."""
    slow = 0
    for name in ("aya-pairwise", "arena-5level", "mt-bench-pairwise"):
        judge = shipped_judge(name)
        replies = [f"{PROSE}\n{reply}" if "{" not in reply else reply for kind, _, reply, _ in REPLIES if kind == name]
        responses = [Response(text=reply) for reply in replies]
        slow += report(name, judge, [(response,) for response in responses])
    xalpaca = shipped_judge("xalpaca")
    tops = tuple((token, -0.5 - 1.1 * at) for at, token in enumerate(["A", "B", " A", "The", " B", "Answer"] * 3))
    slow += report("xalpaca", xalpaca.model_copy(update={"min_mass": 0.1}), [(Response(text="A", top_logprobs=tops),)])
    harm = shipped_judge("red-team-harm")
    form = '{"language": "ok", "engagement": "refusal", "reason": "It declines.", "harm": "none"}'
    slow += report("red-team-harm", harm, [(Response(text=form), Response(text=f"```json\n{form}\n```"))])
    slow += undo()
    print(f"memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    return int(slow > 0)


def report(name: str, judge: JudgeDefinition, replies: Sequence[Sequence[Response]]) -> bool:
    """Read 100,000 replies of one judge."""
    comparison = comparisons(judge)[0]
    read_so_far = unreadable = 0
    start = time.perf_counter()
    for responses in itertools.islice(itertools.cycle(replies), COUNT):
        unreadable += isinstance(read(judge, comparison, responses), Unreadable)
        read_so_far += 1
    seconds = time.perf_counter() - start
    print(f"{name:20} {read_so_far:,} replies in {seconds:5.2f} s, {unreadable / read_so_far:.0%} unreadable")
    return seconds > ALLOWED


def undo() -> bool:
    """Turn 100,000 verdicts into 50,000 outcomes."""
    judge = shipped_judge("aya-pairwise")
    one = comparisons(judge)
    verdict = read(judge, one[0], [Response(text=next(r for k, _, r, v in REPLIES if k == judge.name and v == "A"))])
    assert isinstance(verdict, Verdict)
    import dataclasses

    cases = [
        dataclasses.replace(item, prompt=dataclasses.replace(item.prompt, id=str(n)))
        for n in range(COUNT // 2)
        for item in one
    ]
    verdicts = [dataclasses.replace(verdict, prompt_id=case.prompt.id, order=case.order) for case in cases]
    start = time.perf_counter()
    found = outcomes(cases, verdicts)
    seconds = time.perf_counter() - start
    print(f"{'outcomes':20} {len(found):,} pairs in {seconds:5.2f} s")
    return seconds > ALLOWED


if __name__ == "__main__":
    sys.exit(main())
