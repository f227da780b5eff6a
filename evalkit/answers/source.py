"""The files that hold a model's recorded answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from evalkit.answers.layouts import column_of
from evalkit.errors import DataError, Problem
from evalkit.prompts.places import MARK, find_file, languages_of, match_tag
from evalkit.prompts.remote import fetch_file
from evalkit.prompts.tables import FORMATS, Table, as_text, parse_table, read_table, value_of
from evalkit.suite import ModelConfig, model_of


@dataclass(slots=True, kw_only=True)
class Source:
    """The files of one model."""

    config: ModelConfig
    folder: Path
    data: Path | None
    name: str
    shared_ids: bool
    """Whether prompts of several languages have one id, so that an id alone does not tell the answer's language."""
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
