"""How fast verdicts are read: 100,000 replies must take less than 10 s on one core.

python benchmarks/parsing.py [--replies 100000]
"""

from __future__ import annotations

import dataclasses
import itertools
import resource
import sys
import time
from collections.abc import Sequence

from _support import parser

from evalkit.calls import Response
from evalkit.judging.definition import JudgeDefinition
from evalkit.judging.outcomes import outcomes
from evalkit.judging.reading import Unreadable, read
from evalkit.records import Verdict
from tests.judging.pairs import comparisons, shipped_judge
from tests.judging.real_replies import REPLIES

ALLOWED = 10.0 / 100_000
"""Seconds a reply."""
PROSE = "Answer A keeps to the question and says why; answer B repeats itself and invents a date. " * 8


def main() -> int:
    """Print a table; exit 1 where a kind of judge is slower than allowed (a small run is too short to tell)."""
    args = parser(__doc__, replies=(100_000, 2000)).parse_args()
    count, slow = args.replies, 0
    for name in ("aya-pairwise", "arena-5level", "mt-bench-pairwise"):
        judge = shipped_judge(name)
        replies = [f"{PROSE}\n{reply}" if "{" not in reply else reply for kind, _, reply, _ in REPLIES if kind == name]
        responses = [Response(text=reply) for reply in replies]
        slow += report(name, judge, [(response,) for response in responses], count)
    xalpaca = shipped_judge("xalpaca")
    tops = tuple((token, -0.5 - 1.1 * at) for at, token in enumerate(["A", "B", " A", "The", " B", "Answer"] * 3))
    lenient = xalpaca.model_copy(update={"min_mass": 0.1})
    slow += report("xalpaca", lenient, [(Response(text="A", top_logprobs=tops),)], count)
    harm = shipped_judge("red-team-harm")
    form = '{"language": "ok", "engagement": "refusal", "reason": "It declines.", "harm": "none"}'
    slow += report("red-team-harm", harm, [(Response(text=form), Response(text=f"```json\n{form}\n```"))], count)
    slow += undo(count)
    print(f"memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    return int(slow > 0 and not args.small)


def report(name: str, judge: JudgeDefinition, replies: Sequence[Sequence[Response]], count: int) -> bool:
    """Read `count` replies of one judge; return whether that was too slow."""
    comparison = comparisons(judge)[0]
    read_so_far = unreadable = 0
    start = time.perf_counter()
    for responses in itertools.islice(itertools.cycle(replies), count):
        unreadable += isinstance(read(judge, comparison, responses), Unreadable)
        read_so_far += 1
    seconds = time.perf_counter() - start
    print(f"{name:20} {read_so_far:,} replies in {seconds:5.2f} s, {unreadable / read_so_far:.0%} unreadable")
    return seconds > ALLOWED * count


def undo(count: int) -> bool:
    """Turn `count` verdicts into half as many outcomes; return whether that was too slow."""
    judge = shipped_judge("aya-pairwise")
    one = comparisons(judge)
    verdict = read(judge, one[0], [Response(text=next(r for k, _, r, v in REPLIES if k == judge.name and v == "A"))])
    assert isinstance(verdict, Verdict)
    cases = [
        dataclasses.replace(item, prompt=dataclasses.replace(item.prompt, id=str(n)))
        for n in range(count // 2)
        for item in one
    ]
    verdicts = [dataclasses.replace(verdict, prompt_id=case.prompt.id, order=case.order) for case in cases]
    start = time.perf_counter()
    found = outcomes(cases, verdicts)
    seconds = time.perf_counter() - start
    print(f"{'outcomes':20} {len(found):,} pairs in {seconds:5.2f} s")
    return seconds > ALLOWED * count


if __name__ == "__main__":
    sys.exit(main())
