"""Which script the letters of many lines are in, counted all at once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BLOCKS: dict[str, str] = {
    "Latn": "41-5A 61-7A AA BA C0-D6 D8-F6 F8-2AF 1E00-1EFF 2C60-2C7F A720-A7FF AB30-AB6F FB00-FB06 FF21-FF3A "
    "FF41-FF5A",
    "Grek": "370-373 376-377 37B-37D 37F 386 388-3FF 1F00-1FFF",
    "Cyrl": "400-52F 1C80-1C8F 2DE0-2DFF A640-A69F",
    "Armn": "531-556 560-588 FB13-FB17",
    "Hebr": "591-5F4 FB1D-FB4F",
    "Arab": "610-61A 620-65F 66E-6D3 6D5-6EF 6FA-6FF 750-77F 870-8FF FB50-FDFF FE70-FEFC",
    "Syrc": "700-74F 860-86F",
    "Thaa": "780-7BF",
    "Nkoo": "7C0-7FF",
    "Deva": "900-963 970-97F A8E0-A8FF",
    "Beng": "980-9E3 9F0-9FF",
    "Guru": "A00-A65 A70-A7F",
    "Gujr": "A80-AE5 AF0-AFF",
    "Orya": "B00-B65 B70-B7F",
    "Taml": "B80-BE5",
    "Telu": "C00-C65 C70-C7F",
    "Knda": "C80-CE5 CF0-CFF",
    "Mlym": "D00-D65 D70-D7F",
    "Sinh": "D80-DE5 DF0-DFF",
    "Thai": "E00-E3E E40-E4F",
    "Laoo": "E80-ECF EDC-EFF",
    "Tibt": "F00-F1F F3E-FFF",
    "Mymr": "1000-103F 1050-109F A9E0-A9EF A9FA-A9FF AA60-AA7F",
    "Geor": "10A0-10FF 1C90-1CBF 2D00-2D2F",
    "Hang": "1100-11FF 3130-318F A960-A97F AC00-D7FF",
    "Ethi": "1200-139F 2D80-2DDF AB00-AB2F",
    "Cher": "13A0-13FF AB70-ABBF",
    "Cans": "1400-167F 18B0-18FF",
    "Khmr": "1780-17D3 17D7-17DD",
    "Mong": "1820-18AF",
    "Olck": "1C5A-1C7D",
    "Tfng": "2D30-2D7F",
    "Kana": "3041-309F 30A1-30FF 31F0-31FF FF66-FF9D 1B000-1B16F",
    "Hani": "3005-3007 3400-4DBF 4E00-9FFF F900-FAFF 20000-323AF",
    "Adlm": "1E900-1E94B",
}  # fmt: skip
"""ISO 15924 code → code points of its letters and marks, hexadecimal. Blocks are enough: texts, not single letters."""

SCRIPTS: tuple[str, ...] = tuple(BLOCKS)

KANA_SHARE = 0.05
"""Chinese characters with at least this share of kana among them are Japanese."""


def written_in(script: str) -> frozenset[str]:
    """Return the scripts of this module that a text in the ISO 15924 `script` is made of: Jpan → Kana and Hani."""
    special = {"Jpan": {"Kana", "Hani"}, "Kore": {"Hang"}, "Hans": {"Hani"}, "Hant": {"Hani"}}
    return frozenset(special.get(script, {script}))


def letter_weights(lines: Sequence[str]) -> NDArray[np.float64]:
    """Return UTF-8 bytes of letters by line and script, shape (lines, len(SCRIPTS)).

    Bytes make a character of a dense script weigh more: a Chinese sentence has a third of the characters of its English
    translation, and three bytes each.
    """
    import numpy as np

    width = len(SCRIPTS) + 1
    codes = np.frombuffer("".join(lines).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    owner = np.repeat(np.arange(len(lines)), [len(line) for line in lines])
    script = _table()[codes]
    size = 1 + (codes >= 0x80).astype(np.uint8) + (codes >= 0x800) + (codes >= 0x10000)  # noqa: PLR2004  UTF-8
    sums = np.bincount(owner * width + script, weights=size, minlength=len(lines) * width)
    return sums.reshape(len(lines), width)[:, :-1].astype(np.float64)


def main_scripts(weights: NDArray[np.float64]) -> list[str]:
    """Return each line's script from its `letter_weights`: Kana for Japanese in any mixture, "" without letters."""
    import numpy as np

    kana, han = SCRIPTS.index("Kana"), SCRIPTS.index("Hani")
    joined = weights.copy()
    east = joined[:, kana] + joined[:, han]
    japanese = joined[:, kana] >= KANA_SHARE * np.maximum(east, 1)
    joined[:, kana] = np.where(japanese, east, 0)
    joined[:, han] = np.where(japanese, 0, east)
    best = joined.argmax(axis=1)
    empty = joined.sum(axis=1) == 0
    return ["" if none else SCRIPTS[index] for index, none in zip(best.tolist(), empty.tolist(), strict=True)]


@cache
def _table() -> NDArray[np.uint8]:
    """Script's position in `SCRIPTS` of every code point; one past the end for what is no letter."""
    import numpy as np

    table = np.full(0x110000, len(SCRIPTS), dtype=np.uint8)
    for position, ranges in enumerate(BLOCKS.values()):
        for text in ranges.split():
            first, _, last = text.partition("-")
            table[int(first, 16) : int(last or first, 16) + 1] = position
    return table
