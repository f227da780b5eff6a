"""Language tags in any convention to BCP-47, and what is known of a language."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

Direction = Literal["ltr", "rtl"]
Resource = Literal["high", "mid", "low"]

RIGHT_TO_LEFT = frozenset({"Adlm", "Arab", "Hebr", "Nkoo", "Rohg", "Syrc", "Thaa"})
"""ISO 15924 codes of scripts written from right to left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """What is known of a language; names and script from CLDR."""

    tag: str
    """BCP-47, normalised."""
    english_name: str
    """The tag itself where the language is not in the table."""
    autonym: str
    """What the language calls itself; the tag where unknown."""
    script: str
    """ISO 15924 code of the script it is written in: Latn, Arab, Hans … ("" where unknown)."""
    script_name: str
    direction: Direction
    joshi: int | None
    """Class in Joshi et al. 2020, from 0 (hardly any data) to 5; None where unknown."""
    family: str
    """Top-level family; "" where unknown."""
    iso3: str
    """ISO 639-3 code."""

    @property
    def resource(self) -> Resource | None:
        """Resource level as the Aya papers draw it: class 4 and 5 high, 3 mid, below low; None where unknown."""
        if self.joshi is None:
            return None
        return "high" if self.joshi >= 4 else "mid" if self.joshi == 3 else "low"  # noqa: PLR2004  classes


@cache
def normalise(tag: str) -> str:
    """Return the BCP-47 tag: arb → ar, zho_Hans → zh-Hans, pt_br → pt-BR, iw → he, swh → sw.

    Raises:
        ValueError: there is no such language; the message names the closest one.
    """
    import langcodes

    try:
        found: str = langcodes.standardize_tag(tag.strip(), macro=True)
        valid = langcodes.tag_is_valid(found)
    except ValueError:
        valid = False
    if not valid:
        message = f"{tag!r} is not a language tag{_closest(tag)}"
        raise ValueError(message)
    return found


@cache
def describe(tag: str) -> Language:
    """Return what is known of the language `tag`; a valid tag outside the table keeps the tag as its name.

    Raises:
        ValueError: there is no such language.
    """
    normal = normalise(tag)
    row = table().get(normal)
    return row or _derive(normal)


@cache
def table() -> dict[str, Language]:
    """Return the languages that ship with evalkit, by tag (written by tools/make_languages.py)."""
    text = files(__package__).joinpath("table.tsv").read_text(encoding="utf-8")
    rows = [line.split("\t") for line in text.splitlines()[1:]]
    return {
        tag: Language(
            tag=tag,
            english_name=english_name,
            autonym=autonym,
            script=script,
            script_name=script_name,
            direction="rtl" if direction == "rtl" else "ltr",
            joshi=int(joshi),
            family=family,
            iso3=iso3,
        )
        for tag, english_name, autonym, script, script_name, direction, joshi, family, iso3 in rows
    }


def _derive(normal: str) -> Language:
    """Describe a tag outside the table from its language's row (`ta-SG` from `ta`), or from its parts alone."""
    import langcodes

    parts = langcodes.Language.get(normal)
    base = table().get(parts.language or "")
    script = parts.script or (base.script if base else "") or parts.maximize().script or ""
    kin = base.script_name if base and base.script == script else script
    qualifier = normal.partition("-")[2]
    return Language(
        tag=normal,
        english_name=f"{base.english_name} ({qualifier})" if base else normal,
        autonym=f"{base.autonym} ({qualifier})" if base else normal,
        script=script,
        script_name=kin,
        direction="rtl" if script in RIGHT_TO_LEFT else "ltr",
        joshi=base.joshi if base else None,
        family=base.family if base else "",
        iso3=base.iso3 if base else _iso3(parts),
    )


def _iso3(parts: object) -> str:
    """ISO 639-3 code of a parsed tag, "" where it has none."""
    try:
        return str(parts.to_alpha3())  # type: ignore[attr-defined]  # langcodes is untyped
    except LookupError:
        return ""


def _closest(tag: str) -> str:
    """Name the tag meant by an English name, an autonym or a slip: "english" → en."""
    names = {
        name.casefold(): row.tag
        for row in table().values()
        for name in (row.english_name, row.autonym, row.tag, row.iso3)
    }
    # A language's own row comes before its variants, so that "serbian" means sr.
    names |= {row.english_name.casefold(): row.tag for row in table().values() if "-" not in row.tag}
    names |= {row.iso3: row.tag for row in table().values() if "-" not in row.tag}
    close = difflib.get_close_matches(tag.strip().casefold(), names, n=1, cutoff=0.5)
    return f": did you mean {names[close[0]]!r} ({describe(names[close[0]]).english_name})?" if close else ""
