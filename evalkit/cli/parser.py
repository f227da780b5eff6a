"""The parser of every command: a wrong command line is one message with its mend, as any other wrong input is."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

from evalkit.cli.options import add_json
from evalkit.errors import InputError, Problem, did_you_mean

MENDS = {
    "--languages": "write one list: --languages de,fr",
    "--to": "write one list: --to de,fr",
    "--baseline": "give one; `--baseline each` compares every two candidates",
    "--judge-model": "give one: it stands under every judge; a panel of several models is written in the suite",
}
"""Option → what to write instead of giving it twice, where more can be said than to give it once."""


_OPTION_LIKE = re.compile(r"-(?!\d|\.|inf|nan)")
"""Begins an option, and no negative number."""


class Parser(argparse.ArgumentParser):
    """Refuses unknown words with the closest known one, and an option that is given twice but keeps one value."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.exit_on_error = False
        self.register("action", None, StoreOnce)
        self.register("action", "store", StoreOnce)

    def error(self, message: str) -> NoReturn:
        """Raise what is wrong with the command line."""
        raise self._refusal(message)

    def parse_known_args(  # type: ignore[override]  # of argparse's overloads only this one is used
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Parse; refuse, here where the options are known, whatever is left over."""
        if self._subparsers is None:
            self._refuse_unknown(args or ())
        try:
            parsed, left = super().parse_known_args(args, namespace)
        except argparse.ArgumentError as fault:
            raise self._refusal(fault.message, where=fault.argument_name) from None
        self._refuse_unknown(left)
        if left:
            raise self._refusal(f"unexpected {left[0]!r}")
        return parsed, left

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Refuse a word that is none of the choices, with the closest choice."""
        if action.choices is not None and value not in action.choices:
            raise argparse.ArgumentError(action, f"unknown {value!r}; {did_you_mean(str(value), list(action.choices))}")

    def _refuse_unknown(self, words: Sequence[str]) -> None:
        """Refuse all words that look like options of this command and are none."""
        known = list(self._option_string_actions)
        flags = [word.partition("=")[0] for word in _before_dashes(words) if _OPTION_LIKE.match(word)]
        unknown = [flag for flag in flags if not any(name.startswith(flag) for name in known)]
        if unknown:
            raise InputError(
                *(
                    Problem(where=flag, message=f"`{self.prog}` has no such option", hint=did_you_mean(flag, known))
                    for flag in unknown
                )
            )

    def _refusal(self, message: str, *, where: str | None = None) -> InputError:
        return InputError(Problem(where=where or "", message=message, hint=f"{self.prog} --help says what it takes"))


class StoreOnce(argparse.Action):
    """Stores the value of an option; argparse's own would keep the last of several without a word."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,  # noqa: ARG002  argparse hands it over
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        """Store the value, or refuse the second one."""
        if option_string is not None:
            given: set[str] = vars(namespace).setdefault("given", set())
            if self.dest in given:
                mend = MENDS.get(self.option_strings[0], "give it once")
                raise argparse.ArgumentError(self, f"given twice: {mend}")
            given.add(self.dest)
        setattr(namespace, self.dest, values)


def declare(
    commands: Any,
    name: str,
    summary: str,
    *,
    example: str,
    handler: Callable[[argparse.Namespace], int],
    inner: bool = False,
) -> argparse.ArgumentParser:
    """Add command `name` with its summary, an example and `--json`; return its parser.

    Args:
        commands: what `add_subparsers` returned.
        name: the word to type.
        summary: one line of help, without a full stop.
        example: a whole command line, or "".
        handler: runs the command and returns its exit code.
        inner: whether it is an action of a command that takes `--json` too.
    """
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[:1].upper()}{summary[1:]}.",
        epilog=f"example: {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_json(parser, inherited=inner)
    parser.set_defaults(handler=handler)
    return parser


def _before_dashes(words: Sequence[str]) -> Sequence[str]:
    """Return the words before `--`, after which nothing is an option."""
    return words[: words.index("--")] if "--" in words else words


def glossary(title: str, meanings: Mapping[str, str]) -> str:
    """Return words and what each means, one a line, for the end of a command's help."""
    width = max(map(len, meanings), default=0)
    return "\n".join([f"{title}:", *(f"  {word:{width}}  {meaning}" for word, meaning in meanings.items())])
