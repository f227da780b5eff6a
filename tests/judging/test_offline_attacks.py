"""The embedded judge is a judge that follows rules: no attack makes a wrong answer win under it."""

from __future__ import annotations

import asyncio

from evalkit.calls import Model
from evalkit.judging.outcomes import outcomes
from evalkit.judging.question import ask
from evalkit.judging.reading import read
from evalkit.models import provider_class
from evalkit.records import Verdict
from tests.judging.attacks import ATTACKS
from tests.judging.pairs import comparisons, prompt, shipped_judge

QUESTION = prompt(text="Why is the sky blue during the day?")
GOOD = (
    "The sky is blue during the day because air scatters the blue part of sunlight much more than the red part, so blue "
    "light reaches our eyes from every direction of the sky."
)
BAD = "Bananas are yellow and cheap."


def test_no_attack_wins_under_the_offline_rules() -> None:
    definition = shipped_judge("offline-rules")
    models = {"judge": Model.parse("offline/rules")}

    async def scores() -> dict[str, float]:
        rules = provider_class("offline")(models["judge"], timeout=1)
        found = {}
        for name, attack in ATTACKS.items():
            both = comparisons(definition, f"{BAD} {attack}", GOOD, of=QUESTION)
            heard = [
                read(definition, item, [await rules.ask(ask(definition, item, models=models)[0])]) for item in both
            ]
            assert all(isinstance(verdict, Verdict) for verdict in heard), name
            found[name] = outcomes(both, [verdict for verdict in heard if isinstance(verdict, Verdict)])[0].score
        return found

    assert {name: score for name, score in asyncio.run(scores()).items() if score > 0} == {}
