"""Finds and reads the tables of a suite, each once: below `--data`, beside the suite, over https, on the Hub."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from evalkit.errors import DataError, Problem
from evalkit.prompts.hub import read_hub
from evalkit.prompts.places import MARK, find_file, languages_of
from evalkit.prompts.remote import fetch_file
from evalkit.prompts.tables import FORMATS, Table, parse_table, read_table
from evalkit.suite.schema import PromptPart, Suite


@dataclass(slots=True, kw_only=True)
class Shelf:
    """The tables of one suite."""

    suite: Suite
    folder: Path
    data: Path | None
    read: dict[tuple[str, ...], Table] = field(default_factory=dict)

    def table(self, part: PromptPart, language: str) -> tuple[Table, str, bool]:
        """Return the table of a language, the source's own tag, and whether the table is that language's alone.

        Raises:
            DataError: there is none, or it cannot be read.
        """
        for template, folder, any_format in ((part.data, self.data, True), (part.files, self.folder, False)):
            if template is not None and folder is not None:
                found = find_file(template, folder, language, tags=part.tags, any_format=any_format)
                if found:
                    return self._file(found[0]), found[1], MARK in template
        tag = part.tags.get(language, language)
        if part.remote is not None:
            return self._remote(part, language, tag), tag, MARK in part.remote.url
        if part.hub is not None:
            own = any(MARK in place for place in (part.config, part.split, part.path) if place)
            return self._hub(part, language, tag), tag, own
        raise DataError(self._absent(part, language))

    def _file(self, path: Path) -> Table:
        key = ("file", str(path))
        if key not in self.read:
            self.read[key] = read_table(path)
        return self.read[key]

    def _remote(self, part: PromptPart, language: str, tag: str) -> Table:
        assert part.remote is not None
        url = part.remote.url.replace(MARK, tag)
        if ("url", url) not in self.read:
            checksum = part.remote.sha256.get(language, part.remote.sha256.get("default"))
            content = fetch_file(url, sha256=checksum, advice=self._advice(part, language))
            suffix = Path(url.partition("?")[0]).suffix.lower()
            ending = suffix if suffix in FORMATS else ".jsonl"
            self.read["url", url] = parse_table(content, name=url, suffix=ending)
        return self.read["url", url]

    def _hub(self, part: PromptPart, language: str, tag: str) -> Table:
        assert part.hub is not None
        config, split, path = (text and text.replace(MARK, tag) for text in (part.config, part.split, part.path))
        key = ("hub", part.hub, str(config), str(split), str(path), str(part.revision))
        if key not in self.read:
            advice = self._advice(part, language)
            self.read[key] = read_hub(
                part.hub, config=config, split=split or "test", revision=part.revision, path=path, advice=advice
            )
        return self.read[key]

    def _advice(self, part: PromptPart, language: str) -> str:
        """Say how to have the data without the network."""
        if part.data is None:
            return "run again where there is a network"
        want = part.data.replace(MARK, part.tags.get(language, language))
        if self.data is not None:
            return f"run again where there is a network, or put {want} into {self.data}"
        ends = "" if Path(want).suffix.lower() in FORMATS else " (.jsonl, .json, .csv or .parquet)"
        more = f"; {self.suite.about.get_data}" if self.suite.about.get_data else ""
        return f"give a folder that holds {want}{ends}: --data DIR (or EVALKIT_DATA){more}"

    def _absent(self, part: PromptPart, language: str) -> Problem:
        assert part.files is not None
        there = languages_of(part.files, self.folder)
        where = str(self.folder / part.files)
        if MARK not in part.files:
            return Problem(where=where, message="no such file", hint="paths start in the suite file's folder")
        if there:
            return Problem(
                where=where, message=f"there is no file for {language!r}", hint=f"there are: {', '.join(there)}"
            )
        return Problem(where=where, message="there are no such files", hint="paths start in the suite file's folder")
