"""A comparison becomes requests that hold the language's name, the material and nothing else of the pair."""

from __future__ import annotations

from dataclasses import replace

from evalkit.calls import Kind, Message
from evalkit.judging.pairing import pair
from evalkit.judging.question import ask, nonce
from evalkit.records import Order, Prompt
from tests.judging.pairs import MODELS, answer, comparisons, prompt, shipped_judge

AYA = shipped_judge("aya-pairwise")


def test_the_question_names_the_language_and_shows_both_answers_between_markers() -> None:
    forward, swapped = comparisons(AYA, "Uno.", "Dos.", of=prompt("es", text="¿Cuántos?"))
    mark = nonce(["¿Cuántos?", "Uno.", "Dos."])
    (request,) = ask(AYA, forward, models=MODELS)
    assert request.messages[-1].content == (
        "Expected language: Spanish (es)\n"
        f"<<<MATERIAL {mark}\n"
        '{"request": "¿Cuántos?",\n "answer_A": "Uno.",\n "answer_B": "Dos."}\n'
        f"{mark} MATERIAL>>>\n"
        "Now give the JSON object."
    )
    (other,) = ask(AYA, swapped, models=MODELS)
    assert '"answer_A": "Dos.",\n "answer_B": "Uno."' in other.messages[-1].content
    assert other.messages[0] == request.messages[0]
    assert request.key() != other.key()


def test_the_system_message_is_the_same_for_all_languages() -> None:
    systems = {ask(AYA, comparisons(AYA, language=tag)[0], models=MODELS)[0].messages[0] for tag in ("en", "sw", "zh")}
    assert len(systems) == 1


def test_a_form_travels_as_schema_and_labels_as_tokens() -> None:
    (request,) = ask(AYA, comparisons(AYA)[0], models=MODELS)
    assert request.schema == AYA.form_schema
    assert request.labels == ()
    xalpaca = shipped_judge("xalpaca")
    (request,) = ask(xalpaca, comparisons(xalpaca)[0], models=MODELS)
    assert request.schema is None
    assert request.labels == ("A", " A", "B", " B")
    assert request.sampling.max_tokens == 1


def test_asking_again_is_another_request_and_says_what_was_wrong() -> None:
    comparison = comparisons(AYA)[0]
    (first,), (second,) = (ask(AYA, comparison, models=MODELS, attempt=attempt) for attempt in (0, 1))
    assert first.key() != second.key()
    assert second.messages[-1].content.removeprefix(first.messages[-1].content).strip() == AYA.reminder


def test_repeats_are_different_requests() -> None:
    keys = {ask(AYA, item, models=MODELS)[0].key() for item in comparisons(AYA, repeats=4)}
    assert len(keys) == 8


def test_pointwise_judges_see_one_answer_at_a_time() -> None:
    harm = shipped_judge("red-team-harm")
    (comparison,) = comparisons(harm, "mine", "yours", of=prompt(meta={"harm_category": "hate", "harm_scope": "local"}))
    first, second = ask(harm, comparison, models=MODELS)
    assert '"answer": "mine"' in first.messages[-1].content
    assert "yours" not in first.messages[-1].content
    assert '"answer": "yours"' in second.messages[-1].content
    assert '"harm_category": "hate"' in first.messages[-1].content


def test_an_answer_is_scored_once_whoever_it_is_compared_with() -> None:
    """The request of one answer does not depend on the other: verdicts on a baseline are shared by all candidates."""
    harm = shipped_judge("red-team-harm")
    (one,), (two,) = (comparisons(harm, text, "the baseline's") for text in ("mine", "another"))
    assert ask(harm, one, models=MODELS)[1].key() == ask(harm, two, models=MODELS)[1].key()


def test_a_reward_scores_both_answers_under_both_models() -> None:
    reward = shipped_judge("implicit-reward")
    (comparison,) = comparisons(reward, "eins", "zwei", of=prompt("de", meta={"english": "Count."}))
    assert comparison.order is Order.FORWARD
    requests = ask(reward, comparison, models=MODELS)
    assert [request.continuation for request in requests] == ["eins", "eins", "zwei", "zwei"]
    assert {request.kind for request in requests} == {Kind.SCORE}
    assert requests[0].messages[-1].content == "Count.\nPlease answer in German."


def test_a_reward_model_reads_each_conversation_with_the_answer_at_its_end() -> None:
    scalar = shipped_judge("skywork-reward")
    asked = Prompt(
        id="p1", language="de", messages=(Message("system", "Kurz."), Message("user", "1?"), Message("user", "2?"))
    )
    (comparison,) = pair(
        [asked],
        [answer("zwei", language="de", earlier=("eins",))],
        [answer("two", language="de", model="base")],  # recorded without its first turn
        judge="scalar",
        definition=scalar,
    )
    own, base = ask(scalar, comparison, models=MODELS)
    assert own.kind is base.kind is Kind.REWARD
    assert [(message.role, message.content) for message in own.messages] == [
        ("system", "Kurz."), ("user", "1?"), ("assistant", "eins"), ("user", "2?"), ("assistant", "zwei")
    ]  # fmt: skip
    assert [message.content for message in base.messages] == ["Kurz.", "1?", "2?", "two"]
    again = ask(scalar, replace(comparison, repeat=3), models=MODELS, attempt=2)
    assert [request.key() for request in again] == [own.key(), base.key()], "the same conversation has one reward"


def test_checklists_and_references_travel_when_the_judge_uses_them() -> None:
    wildbench = shipped_judge("wildbench-checklist")
    (request,) = ask(wildbench, comparisons(wildbench, of=prompt(checklist=("x", "y")))[0], models=MODELS)
    assert '"checklist": ["x", "y"]' in request.messages[-1].content
    assert '"reference":' not in request.messages[-1].content
