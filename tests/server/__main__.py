"""`python -m tests.server`: the server as a command, until Ctrl-C."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.server.app import Server
from tests.server.verdicts import named


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.server", description=main.__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--log", type=Path, help="append every request and reply to this JSONL file")
    parser.add_argument("--latency", type=float, default=0.0, metavar="SECONDS")
    parser.add_argument("--fault", action="append", default=[], metavar="KIND[=ARG][@WHEN]", help="see faults.py")
    parser.add_argument("--verdict", default="hash", help="longer, shorter, first, hash, A, B, TIE, or module:function")
    parser.add_argument("--quiet-log", action="store_true", help="keep no requests in memory (benchmarks)")
    args = parser.parse_args()
    server = Server(
        port=args.port,
        latency=args.latency,
        faults=args.fault,
        verdict=named(args.verdict),
        log_file=args.log,
        keep_log=not args.quiet_log,
    )
    with server:
        sys.stdout.write(f"{server.base_url}\n")
        sys.stdout.flush()
        try:
            server.wait()
        except KeyboardInterrupt:
            sys.exit(0)


if __name__ == "__main__":
    main()
