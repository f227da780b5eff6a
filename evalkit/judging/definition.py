"""What a judge is: a YAML file that a linguist can read, checked before anything is asked (docs/judges.md)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cached_property
from pathlib import PurePath
from typing import Annotated, Any, Literal

from pydantic import Field

from evalkit import calls
from evalkit.documents import Document, Path
from evalkit.errors import JudgeError, Problem, did_you_mean, raise_all
from evalkit.judging import reply
from evalkit.judging.templates import template_faults
from evalkit.records import Choice
from evalkit.settings import Settings


class JudgeKind(StrEnum):
    """What a judge's reply is, and how it becomes a verdict."""

    LABEL = "label"
    """It names the better answer, or a tie."""
    LEVELS = "levels"
    """It places the pair on a scale from A>>B to B>>A."""
    PROBABILITY = "probability"
    """It writes one token; the probabilities of the labels are the preference."""
    SCORE = "score"
    """It scores each answer by itself; the higher score wins."""
    REWARD = "reward"
    """Two models give log probabilities of each answer; the higher implicit reward wins."""


class JudgeSampling(Settings):
    """How the judge's words are drawn; None leaves the server's default."""

    temperature: Annotated[float, Field(ge=0, le=5)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    seed: int | None = None
    extra: dict[str, Any] = {}

    def for_call(self) -> calls.Sampling:
        """Return the same settings as a request carries them."""
        return calls.Sampling(**self.model_dump())


Template = str | dict[str, str]
"""One text for all languages, or one per language (then for all languages of the suite or none)."""

Words = tuple[str, ...]


class JudgeDefinition(Settings):
    """A judge as people write it."""

    name: str = ""
    """The file's name without `.yaml`."""
    about: str = ""
    """What it judges and whose protocol it follows, for readers."""
    kind: JudgeKind
    model: str | None = None
    """Model reference; a suite or `--judge-model` may put another one in its place."""
    policy: str | None = None
    """Reward: the tuned model."""
    reference: str | None = None
    """Reward: the model it was tuned from."""
    sampling: JudgeSampling = JudgeSampling()
    system: Template = ""
    user: Template
    reminder: str = ""
    """Added to the message when a reply could not be read and the question is put again."""
    retries: Annotated[int, Field(ge=0, le=10)] = 2
    """How often the question is put again; afterwards the verdict is missing, never a tie."""
    languages: Words = ()
    """Languages it may judge; empty: all."""
    uses: dict[str, Literal["required", "optional"]] = {}
    """What else of a prompt belongs in the material: reference, checklist, or a field of its meta."""
    reply: dict[str, str | Words] = {}
    """The form it fills in, in this order; the reason stands before the verdict."""
    verdict_line: str = ""
    """Instead of a form: what the last line looks like, with {verdict} for the verdict: `[[{verdict}]]`."""
    verdict: str = "verdict"
    """Field of the form that decides."""
    labels: dict[str, Annotated[float, Field(ge=0, le=1)]] = {}
    """Word of the verdict → worth for A (label, levels), or for the answer it describes (score)."""
    scores: dict[str, Annotated[float, Field(gt=0)]] = {}
    """Score: field of the form → its weight in the score."""
    variants: dict[Choice, Words] = {}
    """Probability: choice → token texts that mean it; their probabilities are added up."""
    min_mass: Annotated[float, Field(ge=0, le=1)] = 0.9
    """Probability: share the variants must hold together; below it the reply counts as unreadable."""
    length_control: bool = False
    """Reward: take α · characters off, α chosen so that winners and losers are equally long."""

    @cached_property
    def digest(self) -> str:
        """SHA-256 (64 hex digits) of the content; comments and layout do not count."""
        content = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()

    @cached_property
    def form_schema(self) -> dict[str, Any] | None:
        """The form as a JSON schema, or None where the judge fills in none."""
        return reply.json_schema(self.reply) if self.reply else None

    @property
    def models(self) -> dict[str, str]:
        """Role → model reference: `judge`, or `policy` and `reference` of a reward."""
        roles = {"judge": self.model, "policy": self.policy, "reference": self.reference}
        return {role: reference for role, reference in roles.items() if reference}

    @property
    def roles(self) -> tuple[str, ...]:
        """Which models it asks."""
        return ("policy", "reference") if self.kind is JudgeKind.REWARD else ("judge",)

    @property
    def pointwise(self) -> bool:
        """Whether each answer is judged by itself, so that there is no order to swap."""
        return self.kind in {JudgeKind.SCORE, JudgeKind.REWARD}

    @property
    def verdict_words(self) -> Words:
        """Every word the verdict may be."""
        return tuple(self.labels)

    def text(self, part: Literal["system", "user"], language: str) -> str:
        """Return the system or user template for a language."""
        template: Template = getattr(self, part)
        return template if isinstance(template, str) else template[language]

    def language_problems(self, languages: tuple[str, ...]) -> list[Problem]:
        """Say which of a suite's languages this judge cannot judge."""
        found = []
        outside = [tag for tag in languages if self.languages and tag not in self.languages]
        if outside:
            hint = f"it judges {', '.join(self.languages)}"
            found.append(Problem(where=self.name, message=f"does not judge {', '.join(outside)}", hint=hint))
        for part in ("system", "user"):
            template = getattr(self, part)
            lacking = [] if isinstance(template, str) else [tag for tag in languages if tag not in template]
            if lacking:
                hint = "localise it for all languages of the suite or for none: half-localised judges are biased"
                message = f"`{part}` is written per language and lacks {', '.join(lacking)}"
                found.append(Problem(where=self.name, message=message, hint=hint))
        return found


def parse_definition(text: str, *, name: str) -> JudgeDefinition:
    """Read a judge; `name` is its file, as messages shall call it.

    Raises:
        JudgeError: every problem of the file, with its line and the closest valid word.
    """
    document = Document(text, name=name, error=JudgeError)
    document.data.setdefault("name", PurePath(name).stem)
    definition = document.validate(JudgeDefinition)
    raise_all([*_faults(definition, document, text)], JudgeError)
    return definition


def _faults(definition: JudgeDefinition, document: Document, text: str) -> Iterator[Problem]:
    """Everything wrong with a definition whose fields are well-typed."""
    yield from _form_faults(definition, document)
    yield from _kind_faults(definition, document)
    for part in ("system", "user"):
        template = getattr(definition, part)
        by_path: Mapping[Path, str] = (
            {(part,): template}
            if isinstance(template, str)
            else {(part, language): words for language, words in template.items()}
        )
        for path, words in by_path.items():
            yield from _template_problems(definition, document, text, path, words)


def _template_problems(
    definition: JudgeDefinition, document: Document, text: str, path: Path, words: str
) -> Iterator[Problem]:
    """Problems of one template, each on its own line of the file."""
    allowed = ("language", "prompt", "english") if definition.kind is JudgeKind.REWARD else ("language", "material")
    start = int(document.where(path).removeprefix(f"{document.name}:").partition(" ")[0])
    block = text.splitlines()[start - 1].rstrip().endswith(("|", "|-", "|+", ">", ">-"))
    for line, message, hint in template_faults(words, allowed=allowed):
        yield Problem(where=f"{document.name}:{start + line - (0 if block else 1)}", message=message, hint=hint)
    if path[0] == "user" and definition.kind is not JudgeKind.REWARD and "material" not in words:
        hint = "write {{ material }} where the prompt and the answers shall stand"
        yield document.problem(path, "the template never shows the material", hint)


def _form_faults(definition: JudgeDefinition, document: Document) -> Iterator[Problem]:
    """Problems of the form: its fields, the verdict's place, and the reason before it."""
    for field, kind in definition.reply.items():
        fault = reply.field_fault(kind)
        if fault:
            yield document.problem(("reply", field), fault)
    if not definition.reply:
        return
    order = list(definition.reply)
    deciding = [definition.verdict] if definition.kind is not JudgeKind.SCORE else list(definition.scores)
    for field in deciding:
        if field not in order:
            pointwise = definition.kind is JudgeKind.SCORE
            path: Path = ("scores", field) if pointwise else ("verdict" if "verdict" in document.data else "reply",)
            yield document.problem(path, f"the form has no field {field!r}", did_you_mean(field, order))
    reasons = [order.index(field) for field, kind in definition.reply.items() if kind == reply.TEXT]
    places = [order.index(field) for field in deciding if field in order]
    if not reasons:
        yield document.problem(("reply",), "the form has no reason", "add `reason: text` before the verdict")
    elif places and min(places) < min(reasons):
        early = order[min(places)]
        hint = f"move {order[min(reasons)]!r} above {early!r}: reasons written afterwards only defend it"
        yield document.problem(("reply", early), f"the verdict {early!r} stands before the reason", hint)


def _kind_faults(definition: JudgeDefinition, document: Document) -> Iterator[Problem]:
    """Problems of what each kind of judge needs."""
    match definition.kind:
        case JudgeKind.LABEL | JudgeKind.LEVELS:
            yield from _label_faults(definition, document)
        case JudgeKind.PROBABILITY:
            yield from _probability_faults(definition, document)
        case JudgeKind.SCORE:
            yield from _score_faults(definition, document)
        case JudgeKind.REWARD:
            if definition.reply or definition.verdict_line:
                yield document.problem(("reply",), "a reward judge writes nothing", "leave out reply and verdict_line")


def _label_faults(definition: JudgeDefinition, document: Document) -> Iterator[Problem]:
    if bool(definition.reply) == bool(definition.verdict_line):
        yield document.problem(("kind",), "the judge needs either `reply` or `verdict_line`", "add one of them")
    if definition.verdict_line and definition.verdict_line.count("{verdict}") != 1:
        yield document.problem(("verdict_line",), "{verdict} must stand in it once", "for example [[{verdict}]]")
    worths = set(definition.labels.values())
    if not {0.0, 1.0} <= worths:
        yield document.problem(("labels",), "labels need a word worth 1 (A wins) and one worth 0 (B wins)")
    choices = definition.reply.get(definition.verdict)
    if isinstance(choices, tuple):
        yield from _word_faults(definition, document, choices, definition.verdict)


def _word_faults(definition: JudgeDefinition, document: Document, choices: Words, field: str) -> Iterator[Problem]:
    """Words of a field and of `labels` that do not match."""
    for word in choices:
        if word not in definition.labels:
            hint = did_you_mean(word, definition.verdict_words)
            yield document.problem(("reply", field), f"{word!r} has no worth in `labels`", hint)
    for word in definition.labels:
        if word not in choices:
            yield document.problem(("labels", word), f"{word!r} is no word of {field!r}", did_you_mean(word, choices))


def _probability_faults(definition: JudgeDefinition, document: Document) -> Iterator[Problem]:
    if not {Choice.A, Choice.B} <= set(definition.variants):
        yield document.problem(("variants",), "the judge needs `variants` for A and for B", "A: [A, ' A']")
    if definition.sampling.max_tokens != 1:
        hint = "only the first token's probabilities are read"
        yield document.problem(("sampling", "max_tokens"), "must be 1 for a probability judge", hint)
    owners: dict[str, Choice] = {}
    for choice, tokens in definition.variants.items():
        for token in tokens:
            path = ("variants", choice.value)
            if len(token.strip().split()) != 1:
                yield document.problem(path, f"{token!r} cannot be one token", "a label is one short word, such as A")
            if owners.setdefault(token, choice) is not choice:
                yield document.problem(path, f"{token!r} stands for both {owners[token]} and {choice}")


def _score_faults(definition: JudgeDefinition, document: Document) -> Iterator[Problem]:
    if not definition.reply:
        yield document.problem(("kind",), "a score judge needs a form", "add `reply:` with a reason and a score")
    if not definition.scores:
        yield document.problem(("kind",), "a score judge needs `scores:`", "name the field that counts, with weight 1")
    worded = [field for field in definition.scores if isinstance(definition.reply.get(field), tuple)]
    for field in worded:
        choices = definition.reply[field]
        for word in choices:
            if word not in definition.labels:
                hint = did_you_mean(word, definition.verdict_words) or "add it to `labels` with its worth"
                yield document.problem(("reply", field), f"{word!r} has no worth in `labels`", hint)
    for field in definition.scores:
        if definition.reply.get(field) == reply.TEXT:
            yield document.problem(("scores", field), f"{field!r} is free text and has no score", "make it 1..5")
