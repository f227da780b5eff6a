"""What it costs to have every answer in the ledger as soon as it is finished, against `LLM.chat`, which keeps them all.

    python benchmarks/vllm_streaming.py                       # a tiny random model, on CPU
    python benchmarks/vllm_streaming.py CohereLabs/aya-expanse-8b --prompts 2000 --tokens 256

One engine, the same prompts and seeds, three rounds each by turns (one in small). The figure is the ratio of the best
times: 1.0 means that streaming into the ledger is free.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

from _support import absent, parser

from evalkit.calls import Message, Model, Request, Sampling
from evalkit.ledger import Ledger
from evalkit.models.vllm import Provider
from tests.tiny_model import ENVIRONMENT, tiny_model


def chat(provider: Provider, requests: list[Request]) -> tuple[float, float, list[str]]:
    """Seconds for all, seconds until the first can be saved, and the texts, by vLLM's own batch call."""
    from vllm import SamplingParams

    conversations = [[{"role": message.role, "content": message.content} for message in r.messages] for r in requests]
    parameters = [
        SamplingParams(
            temperature=r.sampling.temperature,
            seed=r.sampling.seed,
            max_tokens=r.sampling.max_tokens,
            ignore_eos=True,
        )
        for r in requests
    ]
    start = time.perf_counter()
    outputs = provider._engine.llm.chat(conversations, parameters, use_tqdm=False)  # noqa: SLF001 - the same engine
    seconds = time.perf_counter() - start
    return seconds, seconds, [output.outputs[0].text for output in outputs]


def stream(provider: Provider, requests: list[Request], ledger: Ledger) -> tuple[float, float, list[str]]:
    """The same through the provider, each answer committed to the ledger when it is finished."""
    saved: list[float] = []
    start = time.perf_counter()

    async def one(request: Request) -> str:
        response = await provider.ask(request)
        ledger.record(request, request.key(), response, cost=None)
        saved.append(time.perf_counter() - start)
        return response.text

    async def everything() -> list[str]:
        return list(await asyncio.gather(*map(one, requests)))

    texts = asyncio.run(everything())
    return time.perf_counter() - start, saved[0], texts


def model_and_requests(folder: Path, name: str | None, *, prompts: int, tokens: int) -> tuple[Model, list[Request]]:
    """Return the named model, or a tiny random one, and what both ways ask of it."""
    engine: dict[str, object] = {"max_model_len": 2048}
    if name is None:
        os.environ.update(ENVIRONMENT)
        engine = {"max_model_len": 512, "dtype": "float32", "enforce_eager": True}
    model = Model(provider="vllm", name=name or str(tiny_model(folder / "tiny")), engine=engine)
    requests = [
        Request(
            model=model,
            messages=(Message("user", f"Frage {n}: Wie heißt die Hauptstadt von Land {n % 97}?"),),
            sampling=Sampling(temperature=0.7, seed=n, max_tokens=tokens, extra={"ignore_eos": True}),
        )
        for n in range(prompts)
    ]
    return model, requests


def main() -> int:
    options = parser(__doc__, prompts=(1000, 16), tokens=(64, 8), rounds=(3, 1))
    options.add_argument("model", nargs="?", help="a model vLLM can load; a tiny random one if left out")
    args = options.parse_args()
    if find_spec("vllm") is None:
        return absent("vllm", "vLLM is not installed")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model, requests = model_and_requests(folder, args.model, prompts=args.prompts, tokens=args.tokens)
        provider = Provider(model, timeout=60)
        chat(provider, requests[:8])
        rounds = []
        for number in range(args.rounds):
            with Ledger(folder / f"{number}.sqlite") as ledger:
                rounds.append((chat(provider, requests), stream(provider, requests, ledger)))
        asyncio.run(provider.close())
    best_chat, best_stream = (min(r[way][0] for r in rounds) for way in (0, 1))
    same = sum(a == b for a, b in zip(rounds[0][0][2], rounds[0][1][2], strict=True))
    print(f"{args.prompts} chats of {args.tokens} tokens, best of {args.rounds}")
    print(f"LLM.chat              {best_chat:7.2f} s   first answer saved after {rounds[0][0][1]:.2f} s (all at once)")
    print(f"vllm/ into the ledger {best_stream:7.2f} s   first answer saved after {rounds[0][1][1]:.2f} s")
    print(f"ratio {best_stream / best_chat:.2f}   same texts {same}/{args.prompts}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
