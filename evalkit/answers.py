"""Recorded answers: made anywhere, in the layouts the field uses, matched to prompts by id, by text or by position.

Nothing is dropped in silence: missing, duplicate and surplus answers are reported.
"""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evalkit.errors import DataError, Problem
from evalkit.prompts import bare_id, check_data_folder
from evalkit.prompts.places import MARK, find_file, languages_of, match_tag
from evalkit.prompts.remote import fetch_file
from evalkit.prompts.rows import GUESSES
from evalkit.prompts.tables import FORMATS, Row, Table, as_text, parse_table, read_table, shortened, value_of
from evalkit.records import Generation, Prompt
from evalkit.suite import ModelConfig, config_for, display_name, model_of

USUAL: dict[str, tuple[str, ...]] = {
    "id": GUESSES["id"],
    "prompt": ("prompt", "instruction", "question", "inputs", "input", "query"),
    "answer": ("answer", "output", "response", "completion", "generation", "prediction", "text"),
    "language": GUESSES["language"],
    "model": ("model", "generator", "model_id"),
}
"""Where a field of a recorded answer is looked for when nothing names its column."""
SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedAnswers:
    """What files say a model answered."""

    generations: tuple[Generation, ...]
    """One for each prompt that has an answer, in the prompts' order."""
    missing: tuple[tuple[str, str], ...] = ()
    """(language, prompt id) without an answer."""
    duplicates: tuple[tuple[str, str], ...] = ()
    """(language, prompt id) with several answers; the first counts."""
    matched_by: Mapping[str, str] = field(default_factory=dict)
    """Language → id, text or position."""
    extra: Mapping[str, int] = field(default_factory=dict)
    """Language → answers to prompts that were not asked."""
    notes: tuple[str, ...] = ()
    """What readers should know of all this, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """One row of a file."""

    id: str | None
    prompt: str | None
    turns: tuple[str, ...]
    model: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Match:
    """Which answers belong to which prompts, in one language."""

    by: str
    answers: Mapping[str, Sequence[_Answer]]
    """Prompt id → its answers."""
    extra: int
    note: str = ""


def read_answers(
    config: ModelConfig,
    prompts: Sequence[Prompt],
    *,
    folder: Path,
    data: Path | None = None,
    everything: Sequence[Prompt] | None = None,
) -> RecordedAnswers:
    """Read a model's recorded answers to the prompts.

    Args:
        config: The model: `recorded/PATH`, with `{language}` in the path or a language column in the file.
        prompts: The prompts that need answers.
        folder: Where the suite's relative paths start; those of the command line start in the working directory.
        data: Folder of the same files, looked into first.
        everything: All prompts, where `prompts` is a sample: answers without id or prompt are matched by position.

    Raises:
        DataError: a file is missing, broken or empty, lacks a language, or answers none of the prompts.
    """
    check_data_folder(data)
    name = display_name(config)
    voices: dict[str, tuple[ModelConfig, list[Prompt]]] = {}
    for prompt in prompts:
        chosen = config_for(config, prompt)
        voices.setdefault(chosen.model, (chosen, []))[1].append(prompt)
    all_prompts = prompts if everything is None else everything
    read: dict[tuple[str, str], Generation] = {}
    duplicates: list[tuple[str, str]] = []
    matched_by: dict[str, str] = {}
    extra: Counter[str] = Counter()
    notes: list[str] = []
    problems: list[Problem] = []
    for chosen, own in voices.values():
        source = _Source(config=chosen, folder=folder, data=data, name=name)
        for language in dict.fromkeys(prompt.language for prompt in own):
            asked = [prompt for prompt in own if prompt.language == language]
            known = [prompt for prompt in all_prompts if prompt.language == language]
            try:
                table, rows = source.rows(language)
                match = _match(_answers(chosen, table, rows), asked, known, where=table.name, language=language)
            except DataError as fault:
                problems += fault.problems
                continue
            matched_by[language] = match.by
            extra[language] += match.extra
            for prompt in asked:
                answers = match.answers.get(prompt.id, ())
                if answers:
                    read[prompt.key] = _generation(name, prompt, answers[0])
                if len(answers) > 1:
                    duplicates.append(prompt.key)
            if match.note:
                notes.append(f"{name}, {language}: {match.note}")
    if problems:
        raise DataError(*shortened(problems))
    missing = tuple(prompt.key for prompt in prompts if prompt.key not in read)
    notes += _told(name, "no recorded answer to", missing) + _told(name, "several recorded answers to", duplicates)
    return RecordedAnswers(
        generations=tuple(read[prompt.key] for prompt in prompts if prompt.key in read),
        missing=missing,
        duplicates=tuple(duplicates),
        matched_by=matched_by,
        extra={language: count for language, count in extra.items() if count},
        notes=tuple(notes),
    )


def _told(name: str, what: str, keys: Iterable[tuple[str, str]]) -> list[str]:
    """Name the prompts concerned, by language and id."""
    by_language: dict[str, list[str]] = defaultdict(list)
    for language, prompt_id in keys:
        by_language[language].append(prompt_id)
    return [
        f"{name}, {language}: {what} {len(ids)} prompts: {', '.join(ids[:SHOWN])}{' …' if len(ids) > SHOWN else ''}"
        for language, ids in by_language.items()
    ]


def _generation(name: str, prompt: Prompt, answer: _Answer) -> Generation:
    return Generation(
        model=name,
        prompt_id=prompt.id,
        language=prompt.language,
        text=answer.turns[-1],
        earlier=answer.turns[:-1],
        served_model=answer.model,
    )


@dataclass(slots=True, kw_only=True)
class _Source:
    """The files of one model."""

    config: ModelConfig
    folder: Path
    data: Path | None
    name: str
    _tables: dict[str, Table] = field(default_factory=dict)

    @property
    def template(self) -> str:
        """The path, with `{language}` where each language has a file of its own."""
        return model_of(self.config).name

    @property
    def folders(self) -> list[Path]:
        """Where the path may start, in the order they are looked into."""
        if self.config.relative_to == "working-directory":
            return [Path()]
        return [self.data, self.folder] if self.data is not None else [self.folder]

    def rows(self, language: str) -> tuple[Table, list[int]]:
        """Return the table that holds a language's answers, and which of its rows they are.

        Raises:
            DataError: there is no such file, or it is broken or lacks the language.
        """
        table = self._table(language)
        wanted = {k: {v} if isinstance(v, str) else set(v) for k, v in self.config.filter.items()}
        missing = table.missing(wanted)
        if missing:
            raise DataError(*missing)
        rows = [i for i, row in enumerate(table.rows) if all(as_text(value_of(row, k)) in v for k, v in wanted.items())]
        column = _column(self.config, table, "language")
        if MARK in self.template or column is None:
            return table, rows
        spelled = {index: as_text(value_of(table.rows[index], column)) for index in rows}
        tag = match_tag(language, spelled.values())
        if tag is None:
            listed = ", ".join(sorted(set(spelled.values()))[:40])
            message = f"{self.name} has no answers in {language!r}"
            raise DataError(Problem(where=table.name, message=message, hint=f"there are: {listed}"))
        return table, [index for index, value in spelled.items() if value == tag]

    def _table(self, language: str) -> Table:
        for folder in self.folders:
            found = find_file(self.template, folder, language)
            if found:
                key = str(found[0])
                if key not in self._tables:
                    self._tables[key] = read_table(found[0])
                return self._tables[key]
        if self.config.remote is not None:
            return self._remote(language)
        raise DataError(self._absent(language))

    def _remote(self, language: str) -> Table:
        assert self.config.remote is not None
        url = self.config.remote.url.replace(MARK, language)
        if url not in self._tables:
            sums = self.config.remote.sha256
            want = self.template.replace(MARK, language)
            advice = f"give a folder that holds {want}: --data DIR (or EVALKIT_DATA); or another --baseline"
            content = fetch_file(url, sha256=sums.get(language, sums.get("default")), advice=advice)
            suffix = Path(url).suffix.lower()
            self._tables[url] = parse_table(content, name=url, suffix=suffix if suffix in FORMATS else ".jsonl")
        return self._tables[url]

    def _absent(self, language: str) -> Problem:
        there = sorted({tag for folder in self.folders for tag in languages_of(self.template, folder)})
        where = str(self.folders[0] / self.template)
        if there:
            message = f"{self.name} has no answers in {language!r}"
            return Problem(where=where, message=message, hint=f"there are files for: {', '.join(there)}")
        start = "the working directory" if self.folders == [Path()] else "the suite file's folder, or --data"
        what = "files" if MARK in self.template else "file"
        return Problem(where=where, message=f"no such {what} of recorded answers", hint=f"the path starts in {start}")


def _column(config: ModelConfig, table: Table, name: str) -> str | None:
    """Return which column holds a field: as the suite says, else by its usual name."""
    told = config.columns.get(name)
    return told if told is not None else next((c for c in USUAL[name] if c in table.columns), None)


def _answers(config: ModelConfig, table: Table, rows: Iterable[int]) -> list[_Answer]:
    """Read the rows in whichever layout they are.

    Raises:
        DataError: no column holds the answers, or a cell does not hold one.
    """
    missing = table.missing(spec for spec in config.columns.values() if "{" not in spec)
    if missing:
        raise DataError(*missing)
    columns = {name: _column(config, table, name) for name in USUAL}
    talks = "messages" in table.columns or "choices" in table.columns
    if columns["answer"] is None and not talks:
        listed = ", ".join(table.columns)
        hint = "rename it to `answer`, or name it in the suite: `columns: {answer: …}`"
        raise DataError(
            Problem(where=table.name, message=f"no column holds the answers; there are: {listed}", hint=hint)
        )
    answers, problems = [], []
    for index in rows:
        row = table.rows[index]
        try:
            turns, asked = _conversation(row) if talks and "answer" not in config.columns else ((), None)
            if not turns and columns["answer"] is not None:
                turns = _turns(value_of(row, columns["answer"]))
        except ValueError as fault:
            problems.append(Problem(where=table.where(index), message=str(fault)))
            continue
        cell = {name: value_of(row, spec) if spec else None for name, spec in columns.items()}
        answers.append(
            _Answer(
                id=as_text(cell["id"]) or None,
                prompt=as_text(cell["prompt"]) or asked,
                turns=turns,
                model=as_text(cell["model"]) or None,
            )
        )
    if problems:
        raise DataError(*shortened(problems))
    return answers


def _turns(value: Any) -> tuple[str, ...]:
    """Return the answers of a cell: a text, or a list with one for each turn. No value is no answer."""
    if value is None:
        return ()
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    message = f"the answer is no text: {as_text(value)[:80]}"
    raise ValueError(message)


def _conversation(row: Row) -> tuple[tuple[str, ...], str | None]:
    """Read Arena-Hard's `messages` (content may be {"answer": …}) and FastChat's `choices[0].turns`."""
    choices = row.get("choices")
    if isinstance(choices, list) and choices and isinstance(choices[0], Mapping):
        return _turns(choices[0].get("turns")), None
    said: list[str] = []
    asked: list[str] = []
    for message in row.get("messages") or ():
        if not isinstance(message, Mapping):
            continue
        content = message.get("content")
        if isinstance(content, Mapping):
            content = content.get("answer")
        if message.get("role") == "assistant":
            said += _turns(content)
        elif message.get("role") == "user":
            asked.append(as_text(content))
    return tuple(said), "\n\n".join(asked) or None


def _match(
    answers: Sequence[_Answer], asked: Sequence[Prompt], known: Sequence[Prompt], *, where: str, language: str
) -> _Match:
    """Match answers to prompts: by id, else by the prompt's text, else by position.

    Ids decide unless the file's own prompt texts say that its ids are others' (numbered from 0, say).

    Raises:
        DataError: nothing matches, or a match by position would be a guess.
    """
    by_id, by_text = _by_id(answers, known), _by_text(answers, known)
    if by_id and _contradicted(by_id, known) and len(by_text) > len(by_id) / 2:
        by_id = {}
    if by_id or by_text:
        found = by_id or by_text
        matched = sum(len(own) for own in found.values())
        wanted = {prompt.id for prompt in asked}
        surplus = len(answers) - matched + sum(len(own) for key, own in found.items() if key not in wanted)
        note = "" if by_id else "answers matched by the text of their prompts"
        return _checked(
            _Match(by="id" if by_id else "text", answers=found, extra=surplus, note=note), asked, where, language
        )
    if any(answer.id or answer.prompt for answer in answers):
        hint = f"the file has ids like {answers[0].id!r}, the prompts {known[0].id!r}"
        message = f"no answer belongs to a prompt in {language!r}, by id or by text"
        raise DataError(Problem(where=where, message=message, hint=hint))
    if len(answers) != len(known):
        message = f"{len(answers)} answers without id or prompt for {len(known)} prompts in {language!r}"
        raise DataError(Problem(where=where, message=message, hint="give every answer the `id` of its prompt"))
    placed = {prompt.id: [answer] for prompt, answer in zip(known, answers, strict=True)}
    note = "answers have neither id nor prompt: matched by position, which nothing checks"
    return _checked(
        _Match(by="position", answers=placed, extra=len(known) - len(asked), note=note), asked, where, language
    )


def _checked(match: _Match, asked: Sequence[Prompt], where: str, language: str) -> _Match:
    """Drop rows without an answer (they are missing), and refuse a file that answers none of the prompts."""
    given = {key: [answer for answer in own if answer.turns] for key, own in match.answers.items()}
    if not any(given.get(prompt.id) for prompt in asked):
        message = f"none of the {len(asked)} prompts in {language!r} has an answer"
        raise DataError(Problem(where=where, message=message, hint="is it the file of another suite or language?"))
    return _Match(by=match.by, answers=given, extra=match.extra, note=match.note)


def _by_id(answers: Sequence[_Answer], prompts: Sequence[Prompt]) -> dict[str, list[_Answer]]:
    """Match by id; prompts of a suite that is not parallel are also known without the mark of their language."""
    ids = {bare_id(prompt.id, prompt.language): prompt.id for prompt in prompts} | {
        prompt.id: prompt.id for prompt in prompts
    }
    found: dict[str, list[_Answer]] = defaultdict(list)
    for answer in answers:
        if answer.id in ids:
            found[ids[answer.id]].append(answer)
    return dict(found)


def _by_text(answers: Sequence[_Answer], prompts: Sequence[Prompt]) -> dict[str, list[_Answer]]:
    """Match by the prompt's text; prompts of one text take its answers in turn."""
    ids: dict[str, list[str]] = defaultdict(list)
    for prompt in prompts:
        ids[_plain(prompt.text)].append(prompt.id)
    seen: Counter[str] = Counter()
    found: dict[str, list[_Answer]] = defaultdict(list)
    for answer in answers:
        text = _plain(answer.prompt or "")
        same = ids.get(text) if text else None
        if same:
            found[same[seen[text] % len(same)]].append(answer)
            seen[text] += 1
    return dict(found)


def _contradicted(by_id: Mapping[str, Sequence[_Answer]], prompts: Sequence[Prompt]) -> bool:
    """Whether most of the matched answers name another prompt than the one of their id."""
    texts = {prompt.id: _plain(prompt.text) for prompt in prompts}
    told = [(key, answer.prompt) for key, own in by_id.items() for answer in own if answer.prompt]
    return sum(_plain(text) != texts[key] for key, text in told) > len(told) / 2


def _plain(text: str) -> str:
    """Return the text without differences that do not matter: composition and white space."""
    return " ".join(unicodedata.normalize("NFC", text).split())
