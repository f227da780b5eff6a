"""A real local HTTP server that speaks the wire formats of OpenAI and Anthropic, for tests and for trying evalkit out.

    with Server(verdict=longer_wins) as server:
        ...  # openai/judge@{server.base_url}
    python -m tests.server --port 8099 --log requests.jsonl --verdict longer

It judges with a plain function of the two answers, so that an independent script can compute every win rate from the
log. Faults are put in on purpose: see `faults.py`.
"""

from tests.server.app import Server
from tests.server.faults import Fault
from tests.server.models import TODAY, ServedModel
from tests.server.verdicts import by_hash, first_wins, longer_wins, shorter_wins

__all__ = ["TODAY", "Fault", "ServedModel", "Server", "by_hash", "first_wins", "longer_wins", "shorter_wins"]
