"""What language lines are in, out of a closed set: by script where that decides, by py3langid's model where not.

A closed set is far more certain than a choice among 140 languages: the suite's languages, and those that models fall
back to, English before all. Each line is held against the languages of the set that are written in its script.

The model walks a text's bytes through an automaton and weighs the features met, naive Bayes (Lui & Baldwin 2012). Its
own loop takes 45 µs a line in Python; here all lines take each step together in NumPy, five times as fast, with the
same result (a test holds the two against each other).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from evalkit.language.scripts import letter_weights, main_scripts, written_in
from evalkit.language.tags import describe, normalise

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LINE_BYTES = 200
"""A line's language is read off its first bytes; more changes nothing."""
BATCH = 4096
"""Lines that walk together; with 100,000 features, line and feature fit 32 bits."""
FULL_BATCH_LANGUAGES = 16
"""Languages up to which a whole batch is scored at once; bounds the memory."""
CONFIDENT = 0.5
"""Confidence at which a text is held to be in a language the model knows rather than in one that it lacks."""
ENGLISH = "en"
FALLBACKS = (ENGLISH, "ar", "hi", "ru", "zh")
"""What models slip into: English, and the largest language of the script (Hindi for Marathi, Russian for Ukrainian)."""
BESIDE_ENGLISH = ("de", "es", "fr")
"""Latin-script languages for a suite that has none but English, where nothing could ever be told otherwise."""
OTHER_NAMES = {"nb": "no", "fil": "tl", "bik": "bcl", "gn": "gug"}
"""BCP-47 language → the model's label, where they differ."""


@dataclass(frozen=True, slots=True)
class Found:
    """The language of one line."""

    language: str
    """A tag of the closed set; another language's where the set has none in this script; und-Xxxx where only the script
    is known; "" without letters."""
    confidence: float
    """Probability within the languages compared; 1 where the script alone decided."""
    weight: float = 0.0
    """UTF-8 bytes of the line's letters."""


class Identifier:
    """Tells the languages of one suite apart, for answers that should be in `expected`."""

    def __init__(self, languages: Collection[str], *, expected: str) -> None:
        """Prepare the closed set: `languages` and `expected` (BCP-47 tags), and what models fall back to."""
        self.expected = normalise(expected)
        self.by_label: dict[str, str] = {}
        self.by_script: dict[str, list[str]] = {}
        for tag in (self.expected, *sorted(normalise(item) for item in languages), *FALLBACKS):
            self._add(tag)
        if self.by_script["Latn"] == [ENGLISH]:
            for tag in BESIDE_ENGLISH:
                self._add(tag)

    def _add(self, tag: str) -> None:
        """Add a language. Several tags of one (zh-Hans, zh-Hant) are one choice; the first, the expected, names it."""
        label = _label(tag)
        if label in self.by_label:
            return
        self.by_label[label] = tag
        for script in written_in(describe(tag).script):
            self.by_script.setdefault(script, []).append(label)

    @property
    def by_script_only(self) -> bool:
        """Whether the model lacks the expected language, so that its script and the absence of others must decide."""
        return _label(self.expected) not in _model().labels

    def identify(self, lines: Sequence[str]) -> list[Found]:
        """Return the language of each line."""
        return [
            found for start in range(0, len(lines), BATCH) for found in self._identify(lines[start : start + BATCH])
        ]

    def is_expected(self, found: Found) -> bool:
        """Whether a line counts as being in the expected language."""
        if found.language == self.expected:
            return True
        return self.by_script_only and found.confidence == 1 and found.language.startswith("und-")

    def _identify(self, lines: Sequence[str]) -> list[Found]:
        letters = letter_weights(lines)
        groups: dict[str, list[int]] = {}
        for index, script in enumerate(main_scripts(letters)):
            groups.setdefault(script, []).append(index)
        found = [Found("", 0.0)] * len(lines)
        weights = letters.sum(axis=1).tolist()
        for script, members in groups.items():
            results = self._in_script(script, [lines[index] for index in members])
            for index, result in zip(members, results, strict=True):
                found[index] = Found(result.language, result.confidence, weights[index])
        return found

    def _in_script(self, script: str, lines: Sequence[str]) -> list[Found]:
        """Identify lines that are all written in `script`."""
        if not script:
            return [Found("", 0.0)] * len(lines)
        candidates = self.by_script.get(script, [])
        if len(candidates) == 1:
            return [Found(self.by_label[candidates[0]], 1.0)] * len(lines)
        known = [label for label in candidates if label in _model().labels]
        expected_label = _label(self.expected)
        if expected_label in candidates and expected_label not in known:
            others = [label for label in known if label == ENGLISH or not self._kin(self.by_label[label])]
            return [self._unless_known(found, script, others) for found in classify(lines, None)]
        if not candidates:
            return [
                found if found.confidence >= CONFIDENT else Found(f"und-{script}", 0.0)
                for found in classify(lines, None)
            ]
        return [Found(self.by_label[found.language], found.confidence) for found in classify(lines, known)]

    def _kin(self, tag: str) -> bool:
        """Whether a language is so close that the model would take the expected one, which it lacks, for it."""
        return describe(tag).family == describe(self.expected).family

    def _unless_known(self, found: Found, script: str, known: Sequence[str]) -> Found:
        """Take a line for the expected language, which the model lacks, unless it is surely another of the set."""
        if found.language in known and found.confidence >= CONFIDENT:
            return Found(self.by_label[found.language], found.confidence)
        return Found(f"und-{script}", 1.0)


def _label(tag: str) -> str:
    """Return the model's label of a tag's language; the language itself where the model lacks it."""
    language = tag.partition("-")[0]
    return OTHER_NAMES.get(language, language)


@dataclass(frozen=True, slots=True)
class _Model:
    """py3langid's automaton and weights, as arrays."""

    step: NDArray[np.uint32]
    """Next state by row base + byte."""
    row: NDArray[np.int64]
    """Row base by state."""
    feature: NDArray[np.int32]
    """Feature met on entering a state, −1 for none."""
    weights: NDArray[Any]
    """Log likelihood by feature and class, shape (features, classes)."""
    prior: NDArray[np.float32]
    classes: tuple[str, ...]
    labels: frozenset[str]


@cache
def _model() -> _Model:
    """Load the model once (0.5 s)."""
    import numpy as np
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    model = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    classes = tuple(model.nb_classes)
    return _Model(
        step=np.frombuffer(model.tk_nextmove, dtype=model.tk_nextmove.typecode),
        row=np.asarray(model.tk_row, dtype=np.int64) << 8,
        feature=np.asarray(model.tk_output, dtype=np.int32),
        weights=model.nb_ptc,
        prior=np.asarray(model.nb_pc, dtype=np.float32),
        classes=classes,
        labels=frozenset(classes) - {"zxx"},
    )


@cache
def _columns(labels: tuple[str, ...] | None) -> tuple[NDArray[np.intp], NDArray[np.float32], tuple[str, ...]]:
    """Columns of the model for `labels` (all languages for None), their weights, and the label of each."""
    import numpy as np

    model = _model()
    wanted = model.labels if labels is None else frozenset(labels)
    columns = np.asarray([index for index, label in enumerate(model.classes) if label in wanted], dtype=np.intp)
    weights = np.ascontiguousarray(model.weights[:, columns], dtype=np.float32)
    return columns, weights, tuple(model.classes[index] for index in columns)


def classify(lines: Sequence[str], labels: Collection[str] | None) -> list[Found]:
    """Return the most likely of `labels` (the model's own; None for all) for each line, with its probability."""
    wanted = None if labels is None else tuple(sorted(labels))
    # A row of weights for every feature met: many languages, fewer lines at a time.
    size = min(BATCH, BATCH * FULL_BATCH_LANGUAGES // len(_columns(wanted)[0]))
    return [found for start in range(0, len(lines), size) for found in _classify(lines[start : start + size], wanted)]


def _classify(lines: Sequence[str], labels: tuple[str, ...] | None) -> list[Found]:
    import numpy as np

    columns, weights, names = _columns(labels)
    encoded = [_encode(line) for line in lines]
    lengths = np.asarray([len(item) for item in encoded])
    owner, feature, count = _features(encoded, lengths)
    scores = np.zeros((len(lines), len(columns)), dtype=np.float32)
    if len(owner):
        first = np.flatnonzero(np.diff(owner, prepend=-1))
        evidence = weights[feature] * np.log1p(count)[:, None]
        scores[owner[first]] = np.add.reduceat(evidence, first, axis=0) + _model().prior[columns]
    # py3langid's temperature: the root of the length keeps probabilities comparable between short and long lines.
    scores /= np.sqrt(np.maximum(lengths, 1))[:, None]
    scores = np.exp(scores - scores.max(axis=1, keepdims=True))
    scores /= scores.sum(axis=1, keepdims=True)
    for first_column, again in _repeated(names):
        scores[:, first_column] += scores[:, again]
        scores[:, again] = 0
    best = scores.argmax(axis=1)
    return [Found(names[index], float(scores[line, index])) for line, index in enumerate(best.tolist())]


def _encode(line: str) -> bytes:
    """First bytes of a line, as the model was trained to read them."""
    import unicodedata

    part = line[:LINE_BYTES]
    part = part.lower() if part.isupper() else part
    part = part if part.isascii() else unicodedata.normalize("NFC", part)
    return part.encode("utf-8", "surrogatepass")[:LINE_BYTES]


def _features(
    encoded: Sequence[bytes], lengths: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.float32]]:
    """Walk all lines through the automaton at once; return (line, feature, count), sorted by line."""
    import numpy as np

    model = _model()
    order = np.argsort(-lengths, kind="stable")
    ordered = lengths[order]
    text = np.frombuffer(b"".join(encoded[index] for index in order), dtype=np.uint8)
    start = np.cumsum(ordered) - ordered
    n_features = len(model.weights)
    base = (order * n_features).astype(np.int32)
    state = np.zeros(len(encoded), dtype=np.uint32)
    steps = np.arange(int(ordered[0]) if len(ordered) else 0)
    # Lines are sorted by length: at each step the lines that still have a byte are the first ones.
    met = [np.zeros(0, dtype=np.int32)]
    for step, alive in zip(steps, np.searchsorted(-ordered, -steps, side="left"), strict=True):
        state[:alive] = model.step[model.row[state[:alive]] + text[start[:alive] + step]]
        feature = model.feature[state[:alive]]
        hit = feature >= 0
        met.append((base[:alive] + feature)[hit])
    keys, count = np.unique(np.concatenate(met), return_counts=True)
    owner = keys // n_features
    return owner, keys - owner * n_features, count.astype(np.float32)


def _repeated(names: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of columns of one label (Serbian has two, one a script): the first, and the one to fold into it."""
    return [(names.index(name), index) for index, name in enumerate(names) if names.index(name) != index]
