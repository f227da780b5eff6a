"""Where the table of a language stands: files named after languages, and the tags that sources use for them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from evalkit.language.tags import normalise
from evalkit.prompts.tables import FORMATS

MARK = "{language}"


def match_tag(language: str, choices: Iterable[str], tags: Mapping[str, str] | None = None) -> str | None:
    """Return the source's own tag for `language`: as `tags` says, the same, normalised, or by its likely script.

    `ar` finds arb and arb_Arab, `zh` finds zho_Hans and not zho_Hant, `pt` finds pt-BR where there is no pt.
    """
    listed = sorted(set(choices))
    told = (tags or {}).get(language)
    if told is not None:
        return told if told in listed else None
    if language in listed:
        return language
    for same in (_normal, _likely):
        wanted = same(language)
        for choice in listed:
            if wanted is not None and same(choice) == wanted:
                return choice
    return None


@cache
def _normal(tag: str) -> str | None:
    try:
        return normalise(tag)
    except ValueError:
        return None


@cache
def _likely(tag: str) -> str | None:
    """Return language, script and region as they most likely are: zh → zh-Hans-CN."""
    import langcodes

    normal = _normal(tag)
    # FLORES and NLLB name Korean's script Hang where CLDR says Kore.
    return str(langcodes.Language.get(normal.replace("-Hang", "-Kore")).maximize()) if normal else None


def find_file(
    template: str, folder: Path, language: str, *, tags: Mapping[str, str] | None = None, any_format: bool = False
) -> tuple[Path, str] | None:
    """Return (file, the source's own tag) for `language`, or None where there is no such file.

    Args:
        template: Path with `{language}`, or of one file for all languages.
        folder: Where a relative path starts.
        language: Normalised tag.
        tags: Tag → the source's own.
        any_format: Let the same name with another ending (.jsonl, .parquet …) stand for the file.
    """
    found = {tag: path for path, tag in _files(template, folder, any_format=any_format)}
    if MARK not in template:
        return (found[""], (tags or {}).get(language, language)) if found else None
    tag = match_tag(language, found, tags)
    return None if tag is None else (found[tag], tag)


def languages_of(template: str, folder: Path, *, any_format: bool = False) -> list[str]:
    """Return the tags, as the files spell them, for which there are files."""
    return sorted({tag for _, tag in _files(template, folder, any_format=any_format)} - {""})


def _files(template: str, folder: Path, *, any_format: bool) -> list[tuple[Path, str]]:
    """Return (file, tag) of all files that fit the template; the format it names comes last and so wins in a dict."""
    own = Path(template)
    endings = [own.suffix]
    if any_format:
        bare = "" if own.suffix.lower() in FORMATS else own.suffix
        endings = [bare + ending for ending in FORMATS if ending != own.suffix] + endings
    stem = template.removesuffix(own.suffix)
    found = []
    for ending in endings:
        name = stem + ending
        if MARK not in name:
            path = folder / name
            found += [(path, "")] if path.exists() else []
            continue
        first, *rest = Path(name).parts
        anchored = Path(first) if Path(name).is_absolute() else None
        pattern = "/".join(_escaped(part) for part in (rest if anchored else (first, *rest)))
        root, pattern = _climb(anchored or folder, pattern)
        text = re.escape(str(folder / name)).replace(re.escape(MARK), r"([^/]+)", 1)
        shape = re.compile(text.replace(re.escape(MARK), r"\1"))
        matches = ((path, shape.fullmatch(str(path))) for path in sorted(root.glob(pattern)))
        found += [(path, hit[1]) for path, hit in matches if hit]
    return found


def _escaped(part: str) -> str:
    """Escape what glob would read, but `{language}`."""
    return "*".join(re.sub(r"([*?\[])", r"[\1]", piece) for piece in part.split(MARK))


def _climb(root: Path, pattern: str) -> tuple[Path, str]:
    """Walk the parts before the first star ourselves: glob does not follow `..`."""
    parts = pattern.split("/")
    while len(parts) > 1 and "*" not in parts[0]:
        root /= re.sub(r"\[(.)\]", r"\1", parts.pop(0))
    return root, "/".join(parts)
