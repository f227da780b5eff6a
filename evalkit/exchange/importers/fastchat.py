"""fastchat: FastChat's (MT-Bench's) pairwise judgments, both games.

One pair and turn a line, judged in two games.
`model_1` is the candidate and `model_2` the baseline, as `gen_judgment.py --mode pairwise-baseline` writes them, unless
the options name them. `g1_winner` and `g2_winner` are named after the models, the swap already undone; `error` is a
missing verdict. The two turns of a question count as two judgments of one prompt, so that the question stays the
cluster of every interval. Source: github.com/lm-sys/FastChat, fastchat/llm_judge.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from evalkit.exchange.assemble import Import, ImportedRun, Judgment, prompt, run_of, tag
from evalkit.exchange.importers._shown import shown
from evalkit.exchange.importers._tables import Beside, identifier, question_text, sort_rows
from evalkit.exchange.reader import FieldReader, ImportOptions, SourceFile, SourceRow, read_rows
from evalkit.records import Order, Prompt

KEYS = frozenset(
    {"question_id", "model_1", "model_2", "judge", "turn", "tstamp", "language", "category"}
    | {f"g{game}_{what}" for game in (1, 2) for what in ("winner", "user_prompt", "judgment")}
)
WINNERS = {"model_1": 1.0, "model_2": 0.0, "tie": 0.5, "error": math.nan}
"""Winner → preference for `model_1`."""


def read(sources: Sequence[SourceFile], options: ImportOptions) -> tuple[ImportedRun, ...]:
    """Return one run a candidate and baseline.

    Raises:
        DataError: everything that is wrong, with file, row and value.
    """
    reader = FieldReader()
    beside = sort_rows((row for source in sources for row in read_rows(source)), "g1_winner")
    reader.known(beside.judgments, KEYS)
    prompts = _prompts(reader, beside, options)
    groups: dict[tuple[str, str], list[Judgment]] = {}
    pairs: dict[str, None] = {}
    for row in beside.judgments:
        names = (reader.text(row, "model_1"), reader.text(row, "model_2"))
        pairs[" - ".join(names)] = None
        first = _candidate_is_first(names, options)
        if first is not None:
            key = names if first else names[::-1]
            groups.setdefault(key, []).extend(_games(reader, row, beside, prompts, options, first=first))
    if not groups:
        wanted = " against ".join(filter(None, (options.candidate, options.baseline)))
        reader.fail(sources[0].name, f"no judgment of {wanted} to import", f"the files hold {'; '.join(pairs)}")
    reader.check()
    return tuple(
        run_of(
            Import(
                format="fastchat",
                suite=options.suite or "mt-bench",
                candidate=candidate,
                baseline=baseline,
                judgments=judgments,
                both_orders=True,
                files=[source.name for source in sources],
                notes=["The turns of a question count as judgments of one prompt."],
            ),
            reader,
        )
        for (candidate, baseline), judgments in groups.items()
    )


def _candidate_is_first(names: tuple[str, str], options: ImportOptions) -> bool | None:
    """Return whether `model_1` is the candidate, None where the row is of another pair than the one asked for."""
    for first in (True, False):
        candidate, baseline = names if first else names[::-1]
        if options.candidate in {None, candidate} and options.baseline in {None, baseline}:
            return first
    return None


def _games(
    reader: FieldReader,
    row: SourceRow,
    beside: Beside,
    prompts: Mapping[str, Prompt],
    options: ImportOptions,
    *,
    first: bool,
) -> list[Judgment]:
    question = identifier(row.fields)
    parts = shown(reader.text(row, "g1_user_prompt", default=""))
    mine, other = (parts.first, parts.second) if first else (parts.second, parts.first)
    names = ("model_1", "model_2") if first else ("model_2", "model_1")
    candidate, baseline = (reader.text(row, name) for name in names)
    found = []
    for game in (1, 2):
        preference = _winner(reader, row, f"g{game}_winner")
        found.append(
            Judgment(
                where=row.where,
                prompt=prompts[question],
                judge=options.judge or _judge(row),
                preference=preference if first else 1 - preference,
                order=Order.FORWARD if (game == 1) == first else Order.SWAPPED,
                repeat=_turn(reader, row) - 1,
                candidate_text=beside.answers.get((candidate, question), mine),
                baseline_text=beside.answers.get((baseline, question), other),
                reason=reader.text(row, f"g{game}_judgment", default=""),
                notes={"turn": str(_turn(reader, row))},
            )
        )
    return found


def _prompts(reader: FieldReader, beside: Beside, options: ImportOptions) -> dict[str, Prompt]:
    """Return the questions by id: from their file, or as the judge read them in the first turn."""
    found: dict[str, Prompt] = {}
    for row in sorted(beside.judgments, key=lambda row: row.fields.get("turn") == 2):  # noqa: PLR2004  the second turn
        identity = identifier(row.fields)
        if not identity:
            reader.missing(row, "question_id")
        question = beside.questions.get(identity)
        text = question_text(question) or shown(str(row.fields.get("g1_user_prompt") or "")).question or ""
        if identity not in found:
            category = str(question.fields.get("category", "")) if question else ""
            found[identity] = prompt(identity, tag(reader, row, row.language(options)), text, category=category)
    return found


def _judge(row: SourceRow) -> str:
    """Return the judge's name; its second part names the prompt, which differs between the turns."""
    judge = row.fields.get("judge") or "fastchat"
    return str(judge[0] if isinstance(judge, list) and judge else judge)


def _turn(reader: FieldReader, row: SourceRow) -> int:
    turn = row.fields.get("turn", 1)
    if not isinstance(turn, int) or turn not in {1, 2}:
        reader.fail(row, f"turn is {turn!r}", "one of: 1, 2", kind="turn")
        return 1
    return int(turn)


def _winner(reader: FieldReader, row: SourceRow, key: str) -> float:
    if key not in row.fields:
        reader.fail(row, f"key {key!r} is missing: a game is missing", "finish the judging, or drop this line")
        return math.nan
    word = str(row.fields[key])
    if word not in WINNERS:
        reader.fail(row, f"{key} is {word!r}", f"one of: {', '.join(WINNERS)}", kind=key)
    return WINNERS.get(word, math.nan)
