"""The engine's thread: requests in through a queue, each finished one out through its own future, at once.

Everything of vLLM that holds state (loading, stepping, closing) happens on one thread, so that the event loop never
waits for the model and a step never waits for the ledger.
"""

from __future__ import annotations

import contextlib
import gc
import itertools
import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from evalkit.calls import CallError, Fault

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineJob:
    """One prompt for the engine."""

    id: str
    tokens: list[int]
    parameters: Any
    """`vllm.SamplingParams`, or `vllm.PoolingParams` of a reward."""
    adapter: Any
    """`vllm.lora.request.LoRARequest`, or None."""
    done: Future[Any]
    """Becomes the finished `vllm.RequestOutput` (of a reward `vllm.PoolingRequestOutput`), or a `CallError`."""


class Engine:
    """A vLLM engine in this process, stepped by a thread of its own.

    Args:
        load: makes the `vllm.LLM`; called on the engine's thread.

    Raises:
        Exception: whatever `load` raised.
    """

    def __init__(self, load: Callable[[], Any]) -> None:
        self._inbox: queue.SimpleQueue[EngineJob | str | None] = queue.SimpleQueue()
        self._pending: dict[str, Future[Any]] = {}
        self._ids = itertools.count()
        self._stopped: str | None = None
        self._closing = threading.Lock()
        loaded: Future[Any] = Future()
        self._thread = threading.Thread(target=self._run, args=(load, loaded), name="evalkit-vllm", daemon=True)
        self._thread.start()
        try:
            self.llm: Any = loaded.result()
        except Exception:
            self.close()
            raise

    def submit(self, tokens: list[int], parameters: Any, *, adapter: Any = None) -> Future[Any]:
        """Queue one prompt. Cancelling the future takes the prompt out of the engine."""
        done: Future[Any] = Future()
        job = EngineJob(id=str(next(self._ids)), tokens=tokens, parameters=parameters, adapter=adapter, done=done)
        with self._closing:
            if self._stopped is not None:
                done.set_exception(CallError(Fault.INTERNAL, self._stopped))
                return done
            self._inbox.put(job)
        done.add_done_callback(lambda future: self._inbox.put(job.id) if future.cancelled() else None)
        return done

    def close(self) -> None:
        """Stop the thread, drop what is unfinished and give the memory back. Waits until that is done."""
        self._inbox.put(None)
        self._thread.join()
        self.llm = None
        release()

    def _run(self, load: Callable[[], Any], loaded: Future[Any]) -> None:
        """Load, serve until told to stop, and clean up: the life of the thread."""
        try:
            llm = load()
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits for it
            loaded.set_exception(error)
            return
        loaded.set_result(llm)
        reason = "the vLLM engine was closed"
        try:
            self._serve(llm.llm_engine)
        except Exception as error:  # a dead engine fails its requests; the run goes on to say so
            logger.exception("the vLLM engine stopped")
            reason = f"the vLLM engine stopped: {type(error).__name__}: {error}"
        self._fail_all(reason)
        llm.llm_engine.engine_core.shutdown()

    def _serve(self, engine: Any) -> None:
        """Admit what has arrived, step, hand out what is finished."""
        while self._admit(engine):
            for output in engine.step():
                if output.finished and (done := self._pending.pop(output.request_id, None)):
                    _settle(done, output)

    def _admit(self, engine: Any) -> bool:
        """Take everything out of the inbox, in order of arrival, and wait for it where the engine has nothing to do.

        Returns False where one of the things is the order to stop.
        """
        while True:
            try:
                item = self._inbox.get(block=not self._pending)
            except queue.Empty:
                return True
            if item is None:
                return False
            if isinstance(item, str):
                if self._pending.pop(item, None):
                    engine.abort_request([item])
            elif not item.done.cancelled():
                self._add(engine, item)

    def _add(self, engine: Any, job: EngineJob) -> None:
        """Give one prompt to the engine; one that it refuses fails alone."""
        from vllm.inputs.engine import tokens_input

        try:
            engine.add_request(job.id, tokens_input(job.tokens), job.parameters, lora_request=job.adapter)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one request is that request's failure
            _settle(job.done, CallError(Fault.BAD_REQUEST, f"vLLM refused the request: {error}"))
        else:
            self._pending[job.id] = job.done

    def _fail_all(self, reason: str) -> None:
        """Fail what is in the engine and in the inbox, and everything that comes later."""
        with self._closing:
            self._stopped = reason
            waiting = list(self._pending.values())
            self._pending.clear()
            while not self._inbox.empty():
                if isinstance(item := self._inbox.get(), EngineJob):
                    waiting.append(item.done)
        for done in waiting:
            _settle(done, CallError(Fault.INTERNAL, reason))


def _settle(done: Future[Any], result: Any) -> None:
    """Resolve a future that may have been cancelled meanwhile."""
    if not done.set_running_or_notify_cancel():
        return
    if isinstance(result, CallError):
        done.set_exception(result)
    else:
        done.set_result(result)


def release() -> None:
    """Give the device's and the process's memory back, so that another model can load.

    To be called when the engine's thread has ended: until then it holds on to a part of the model.
    """
    gc.collect()
    with contextlib.suppress(ImportError):  # where vLLM itself could not be imported there is nothing to give back
        from vllm.distributed.parallel_state import cleanup_dist_env_and_memory

        cleanup_dist_env_and_memory()
