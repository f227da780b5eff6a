"""How much of the bare SDK's speed the dispatcher keeps, and in how much memory.

5,000 judge calls of 6 KB against a local server that takes 50 ms for each, in a process of its own. Side by side, each
in a fresh process and in turn: the openai SDK's client with its aiohttp transport, replies parsed and raw, at a fixed
concurrency of 256; and `evalkit.dispatch.fetch` with its ledger, adaptive concurrency and all.

    python benchmarks/dispatch.py [--calls 5000] [--rounds 3]

Goal: at least 80 % of the faster bare client, under 150 MB.
"""

from __future__ import annotations

import asyncio
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from argparse import SUPPRESS
from pathlib import Path

from _support import environment, parser, python

CONCURRENCY = 256
LATENCY = 0.05
KILOBYTES = 6


def messages(number: int) -> list[dict[str, str]]:
    """A judge call of 6 KB: a rubric, then material that differs."""
    answers = {"request": f"Frage {number}", "answer_A": f"{number} " * 600, "answer_B": f"{number + 1} " * 500}
    mark = f"{number:016x}"
    material = f"<<<MATERIAL {mark}\n{json.dumps(answers)}\n{mark} MATERIAL>>>"
    rubric = "You compare two answers. " * 200
    return [
        {"role": "system", "content": rubric[: KILOBYTES * 1024 - len(material)]},
        {"role": "user", "content": material},
    ]


async def bare(url: str, calls: int, *, raw: bool) -> None:
    """The SDK's client and a semaphore."""
    from openai import AsyncOpenAI, DefaultAioHttpClient

    client = AsyncOpenAI(api_key="none", base_url=url, max_retries=0, http_client=DefaultAioHttpClient())
    ask = client.chat.completions.with_raw_response.create if raw else client.chat.completions.create
    places = asyncio.Semaphore(CONCURRENCY)

    async def one(number: int) -> str:
        async with places:
            reply = await ask(model="judge", messages=messages(number), temperature=0, max_tokens=400)
        if raw:
            return json.loads(reply.content)["choices"][0]["message"]["content"]
        return reply.choices[0].message.content

    await asyncio.gather(*(one(number) for number in range(calls)))
    await client.close()


async def harness(url: str, calls: int) -> None:
    """The dispatcher with a fresh ledger."""
    from evalkit.calls import Message, Model, Request, Sampling
    from evalkit.dispatch import Limits, Task, fetch
    from evalkit.ledger import Ledger
    from evalkit.pricing import Pricing

    model = Model(provider="openai", name="judge", base_url=url)
    sampling = Sampling(temperature=0, max_tokens=400)
    tasks = []
    for number in range(calls):
        said = tuple(Message(item["role"], item["content"]) for item in messages(number))  # type: ignore[arg-type]
        request = Request(model=model, messages=said, sampling=sampling)
        tasks.append(Task(request=request, key=request.key(), stage="judge", language="de", model="judge"))
    with tempfile.TemporaryDirectory() as folder, Ledger(Path(folder) / "ledger.sqlite") as ledger:
        fetched = await fetch(tasks, ledger=ledger, limits=Limits(), pricing=Pricing(), progress=lambda _: None)
    assert fetched.asked == calls
    assert not fetched.failures


def measure(part: str, url: str, calls: int) -> dict[str, float]:
    """Run one part in this process and return calls/s, CPU seconds per 1,000 calls and peak memory in MB."""
    started, cpu = time.perf_counter(), time.process_time()
    asyncio.run(harness(url, calls) if part == "evalkit" else bare(url, calls, raw=part == "bare raw"))
    took = time.perf_counter() - started
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"rate": calls / took, "cpu": (time.process_time() - cpu) * 1000 / calls, "memory": memory}


def main() -> None:
    options = parser(__doc__, calls=(5000, 200), rounds=(3, 1))
    options.add_argument("--part", help=SUPPRESS)
    options.add_argument("--url", help=SUPPRESS)
    args = options.parse_args()
    if args.part:
        print(json.dumps(measure(args.part, args.url, args.calls)))
        return
    parts: dict[str, list[dict[str, float]]] = {"bare parsed": [], "bare raw": [], "evalkit": []}
    command = [sys.executable, "-m", "tests.server", "--latency", str(LATENCY), "--quiet-log"]
    with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        try:
            for _ in range(args.rounds):
                for part, found in parts.items():
                    done = python(__file__, "--part", part, "--url", url, "--calls", str(args.calls))
                    found.append(json.loads(done))
        finally:
            server.terminate()
    print(f"{args.calls} calls of {KILOBYTES} KB, server latency {LATENCY * 1000:.0f} ms, median of {args.rounds}")
    for part, found in parts.items():
        rate, cpu, memory = (statistics.median(item[name] for item in found) for name in ("rate", "cpu", "memory"))
        print(f"{part:12} {rate:7.0f} calls/s  {cpu:5.2f} CPU s per 1,000  {memory:5.0f} MB peak")
    ours, theirs = (
        [
            max(found[i]["rate"] for name, found in parts.items() if (name == "evalkit") is own)
            for i in range(args.rounds)
        ]
        for own in (True, False)
    )
    ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
    print(f"evalkit / faster bare client: {ratio:.0%} (goal: 80 %)")


if __name__ == "__main__":
    main()
