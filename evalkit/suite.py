"""What people write: a suite and its parts, and how a suite is found and read.

A suite is a YAML file, or the bare name of one that ships. Reading one touches no network and asks nothing.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from evalkit.settings import Settings, StatisticsSettings


class Sampling(Settings):
    """How answers are drawn; None leaves the server's default."""

    temperature: Annotated[float, Field(ge=0, le=5)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    system: str | dict[str, str] | None = None
    """System prompt, one for all languages or one per language."""
    extra: dict[str, Any] = {}
    """Passed to the provider as it is: top_k, reasoning_effort, chat_template_kwargs …"""


class Price(Settings):
    """US dollars per million tokens."""

    input: Annotated[float, Field(ge=0)]
    output: Annotated[float, Field(ge=0)]
    cached_input: Annotated[float, Field(ge=0)] | None = None


class Remote(Settings):
    """Where a file with `{language}` in its name comes from when it is not on disk."""

    url: str
    """https address with `{language}`; pinned to a revision."""
    sha256: dict[str, str] = {}
    """Checksum by language, where known."""


class ModelConfig(Sampling):
    """A candidate, a baseline or the model under a judge."""

    model: str
    """`provider/model`, or `recorded/path/{language}.json`."""
    name: str | None = None
    """What tables call it; the model's own name by default."""
    base_url: str | None = None
    endpoint: str | None = None
    """Stands for the address in the content key, so that the address may change."""
    api_key_env: str | None = None
    """Environment variable that holds the key for this server."""
    engine: dict[str, Any] = {}
    """vLLM engine arguments."""
    price: Price | None = None
    columns: dict[str, str] = {}
    """Recorded answers: our field (id, prompt, answer, language) → the file's column."""
    remote: Remote | None = None
    """Recorded answers: where they are published."""


class JudgeConfig(Settings):
    """A judge of the suite."""

    judge: str
    """Name of a shipped definition, or path of a YAML file."""
    name: str | None = None
    """What tables call it; the definition's name by default."""
    model: ModelConfig | None = None
    """Model under the judge, instead of the definition's."""
    repeats: Annotated[int, Field(ge=1, le=100)] = 1
    """Judgments per order."""


class PromptSource(Settings):
    """Where prompts come from, and how rows become prompts. Exactly one of hub, remote, files."""

    hub: str | None = None
    """Dataset id on the Hub."""
    config: str | None = None
    """Config (subset) of the Hub dataset; `{language}` stands for the source's own tag."""
    split: str = "test"
    revision: str | None = None
    """Commit of the Hub dataset."""
    remote: Remote | None = None
    files: str | None = None
    """Path with `{language}`, relative to the suite file: JSON, JSONL, CSV or Parquet."""
    data: str | None = None
    """Path of the same files below `--data DIR`."""
    columns: dict[str, str] = {}
    """Our field (id, text, messages, language, reference, checklist, system, category …) → the source's column."""
    tags: dict[str, str] = {}
    """BCP-47 tag → the source's own tag, where it is not found by normalisation (zh → zho_Hans)."""
    filter: dict[str, str | list[str]] = {}
    """Column → value(s) a row must have."""
    slices: tuple[str, ...] = ()
    """Fields that estimates are also broken down by."""
    parallel: bool = True
    """Whether one id is the same prompt in every language (verified)."""
    limit: Annotated[int, Field(ge=1)] | None = None
    """Take a seeded sample of this many ids, the same in every language."""
    sample_seed: int = 0


class About(Settings):
    """What the suite is, for readers."""

    title: str = ""
    description: str = ""
    url: str = ""
    licence: str = ""
    citation: str = ""


class Suite(Settings):
    """A suite as people write it."""

    name: str
    about: About = About()
    languages: Annotated[tuple[str, ...], Field(min_length=1)]
    """Languages asked by default (BCP-47, any convention; normalised)."""
    available: tuple[str, ...] = ()
    """Languages the source has, where that is more."""
    prompts: PromptSource
    baseline: ModelConfig | None = None
    candidates: tuple[ModelConfig, ...] = ()
    generation: Sampling = Sampling()
    """Sampling of every candidate (and of a baseline that is asked), unless it says otherwise."""
    judges: tuple[JudgeConfig, ...] = ()
    statistics: StatisticsSettings = StatisticsSettings()
    error_budget: Annotated[float, Field(ge=0, le=1)] = 0.02
    """Share of a stage's requests that may fail before the run stops (exit 3)."""
