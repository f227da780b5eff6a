"""Recorded answers: made anywhere, in the layouts the field uses, matched to prompts by id, by text or by position.

Nothing is dropped in silence: missing, duplicate and surplus answers are reported.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from evalkit.data.layouts import Answer, answers_in, column_of
from evalkit.data.matching import Match, match_answers
from evalkit.data.prompts import check_data_folder
from evalkit.data.remote import fetch_file
from evalkit.data.sources import MARK, find_file, languages_of, match_tag
from evalkit.errors import DataError, Problem
from evalkit.records import Generation, Prompt
from evalkit.suite import ModelConfig, config_for, display_name, model_of
from evalkit.tables import FORMATS, DataTable, as_text, parse_table, read_table, shortened, value_of

__all__ = ["RecordedAnswers", "read_answers"]

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
    all_prompts = prompts if everything is None else everything
    found: list[tuple[str, Sequence[Prompt], Match]] = []
    problems: list[Problem] = []
    for chosen, own in _by_voice(config, prompts):
        shared = len({prompt.id for prompt in own}) < len(own)
        source = AnswerFiles(config=chosen, folder=folder, data=data, name=name, shared_ids=shared)
        for language in dict.fromkeys(prompt.language for prompt in own):
            asked = [prompt for prompt in own if prompt.language == language]
            known = [prompt for prompt in all_prompts if prompt.language == language]
            try:
                table, rows = source.rows(language)
                answers = answers_in(chosen, table, rows)
                found.append(
                    (language, asked, match_answers(answers, asked, known, where=table.name, language=language))
                )
            except DataError as fault:
                problems += fault.problems
    if problems:
        raise DataError(*shortened(problems))
    return _collected(name, prompts, found)


def _by_voice(config: ModelConfig, prompts: Sequence[Prompt]) -> Iterator[tuple[ModelConfig, list[Prompt]]]:
    """Part the prompts by the variant of the model that answers them."""
    voices: dict[str, tuple[ModelConfig, list[Prompt]]] = {}
    for prompt in prompts:
        chosen = config_for(config, prompt)
        voices.setdefault(chosen.model, (chosen, []))[1].append(prompt)
    yield from voices.values()


def _collected(
    name: str, prompts: Sequence[Prompt], found: Sequence[tuple[str, Sequence[Prompt], Match]]
) -> RecordedAnswers:
    """Put the matches of all files together, and say what readers should know of them."""
    given = {p.key: match.answers[p.id] for _, asked, match in found for p in asked if match.answers.get(p.id)}
    duplicates = tuple(key for key, answers in given.items() if len(answers) > 1)
    missing = tuple(prompt.key for prompt in prompts if prompt.key not in given)
    extra: Counter[str] = Counter()
    for language, _, match in found:
        extra[language] += match.extra
    notes = [f"{name}, {language}: {match.note}" for language, _, match in found if match.note]
    notes += _told(name, "no recorded answer to", missing) + _told(name, "several recorded answers to", duplicates)
    return RecordedAnswers(
        generations=tuple(_generation(name, p, given[p.key][0]) for p in prompts if p.key in given),
        missing=missing,
        duplicates=duplicates,
        matched_by={language: match.by for language, _, match in found},
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


def _generation(name: str, prompt: Prompt, answer: Answer) -> Generation:
    return Generation(
        model=name,
        prompt_id=prompt.id,
        language=prompt.language,
        text=answer.turns[-1],
        earlier=answer.turns[:-1],
        served_model=answer.model,
    )


@dataclass(slots=True, kw_only=True)
class AnswerFiles:
    """The files of one model."""

    config: ModelConfig
    folder: Path
    data: Path | None
    name: str
    shared_ids: bool
    """Whether prompts of several languages have one id, so that an id alone does not tell the answer's language."""
    _tables: dict[str, DataTable] = field(default_factory=dict)

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

    def rows(self, language: str) -> tuple[DataTable, list[int]]:
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
        column = column_of(self.config, table, "language")
        told = column_of(self.config, table, "prompt") or "messages" in table.columns
        if column is None and self.shared_ids and MARK not in self.template and not told:
            hint = "add a `language` column, or write one file a language and {language} in its name"
            raise DataError(
                Problem(where=table.name, message="nothing tells which language an answer is for", hint=hint)
            )
        if MARK in self.template or column is None:
            return table, rows
        spelled = {index: as_text(value_of(table.rows[index], column)) for index in rows}
        tag = match_tag(language, spelled.values())
        if tag is None:
            listed = ", ".join(sorted(set(spelled.values()))[:40])
            message = f"{self.name} has no answers in {language!r}"
            raise DataError(Problem(where=table.name, message=message, hint=f"there are: {listed}"))
        return table, [index for index, value in spelled.items() if value == tag]

    def _table(self, language: str) -> DataTable:
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

    def _remote(self, language: str) -> DataTable:
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
