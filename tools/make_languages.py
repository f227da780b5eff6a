"""Write `evalkit/language/table.tsv`: names and scripts from CLDR (by Babel), families and classes from here.

Run from the repository's root with the `dev` extra installed: `python tools/make_languages.py`.

The languages are the 101 of the Aya model, the 27 of the project's own measurements, all that the language identifier
knows, and the other languages of the Aya evaluation suite. The digit after a tag is its class in Joshi et al. 2020,
"The State and Fate of Linguistic Diversity" (0 = hardly any data … 5 = the most).
"""

from __future__ import annotations

from pathlib import Path

import langcodes
from babel import Locale, UnknownLocaleError

TABLE = Path(__file__).resolve().parent.parent / "evalkit" / "language" / "table.tsv"

FAMILIES = {
    "Indo-European": """
        af3 an1 as1 ast1 be3 bg3 bho1 bn3 br1 bs3 ca4 ckb1 cs4 cy1 da3 de5 el3 en5 es5 ext1 fa4 fo1 fr5 fur1 fy1 ga2
        gd1 gl3 gu1 hi4 hr4 hy1 is2 it4 kok2 ks1 ku1 la3 lb1 li1 lij1 lmo1 lt3 ltg1 lv3 mai1 mk1 mr2 nb1 ne1 nl4 nn1
        no1 oc1 or1 pa2 pl4 ps1 pt4 ro3 ru4 sa2 sc1 scn1 sd1 sdh0 si1 sk3 sl3 sq1 sr4 sv4 szl1 tg1 uk3 ur3 vec1
        wa1 yi1""",
    "Afro-Asiatic": "am2 ar5 arz3 ary0 ha2 he3 kab1 mt2 om1 so1 ti2",
    "Sino-Tibetan": "bo1 dz1 my1 wuu1 yue1 zh5",
    "Japonic": "ja5",
    "Koreanic": "ko4",
    "Turkic": "az1 ba1 crh1 kk3 ky1 tk1 tr4 tt1 ug1 uz3",
    "Uralic": "et3 fi4 hu4",
    "Kartvelian": "ka3",
    "Dravidian": "kn1 ml1 ta3 te1",
    "Austroasiatic": "km1 sat1 vi4",
    "Kra-Dai": "lo2 shn0 th3",
    "Austronesian": "ace1 ban0 bik1 bjn1 bug1 ceb3 fil3 fj1 id3 ilo1 jv1 mg1 mi1 min1 ms3 pag1 sm1 su1 war1",
    "Niger-Congo": """
        ak1 bem0 bm1 ee1 ff1 ig1 kg1 ki1 lg1 ln1 mos0 nso1 ny1 rn1 rw1 sg1 sn1 ss1 st1 sw2 tn2 ts1 tum1 umb0 wo2
        xh2 yo2 zu2""",
    "Nilo-Saharan": "din1 kr0 luo0 nus0",
    "Mongolic": "mn1",
    "Quechuan": "qu1",
    "Tupian": "gn1",
    "Aymaran": "ay1",
    "Basque": "eu4",
    "Creole": "gcf0 gcr0 ht2 pap1 pcm0 tpi0",
    "Constructed": "eo1 vo1",
}

ENGLISH = {
    "zh-HK": "Chinese (Hong Kong)",
    "gcf": "Guadeloupean Creole",
    "gcr": "Guianese Creole",
}
"""English names, where CLDR has none."""

VARIANTS = """
    ar-EG de-AT de-CH en-GB en-US es-419 es-ES es-MX fa-AF fr-CA hi-Latn mn-Mong pa-Arab pt-BR pt-PT sr-Cyrl sr-Latn
    uz-Cyrl zh-Hans zh-Hant zh-CN zh-TW zh-HK ks-Deva sd-Deva az-Arab"""
"""Tags with a script or a region that suites use."""

RIGHT_TO_LEFT = frozenset({"Arab", "Hebr", "Thaa", "Nkoo", "Syrc", "Adlm", "Rohg"})

AUTONYMS = {
    "ace": "Bahsa Acèh", "an": "aragonés", "ary": "الدارجة", "arz": "العربية المصرية", "ay": "Aymar aru",
    "ban": "Basa Bali", "bik": "Bikol", "bem": "Ichibemba", "bjn": "Bahasa Banjar", "bug": "Basa Ugi",
    "crh": "qırımtatarca", "din": "Thuɔŋjäŋ", "dz": "རྫོང་ཁ", "ext": "estremeñu", "fj": "Na Vosa Vakaviti",
    "gcf": "Kréyòl Gwadloup", "gcr": "Kréyòl Gwiyannen", "gn": "Avañe’ẽ", "ht": "Kreyòl ayisyen",
    "ilo": "Ilokano", "kg": "Kikongo", "kr": "Kanuri", "la": "Latina", "li": "Limburgs", "ltg": "latgalīšu",
    "luo": "Dholuo", "min": "Baso Minangkabau", "mos": "Mooré", "nso": "Sesotho sa Leboa", "nus": "Thok Naath",
    "ny": "Chichewa", "pag": "Pangasinan", "pap": "Papiamentu", "pcm": "Naijíriá Píjin",
    "rn": "Ikirundi", "sdh": "کوردی خوارگ", "shn": "လိၵ်ႈတႆး", "sm": "Gagana Samoa", "ss": "siSwati",
    "st": "Sesotho", "tpi": "Tok Pisin", "ts": "Xitsonga", "tum": "chiTumbuka", "umb": "Umbundu",
    "vo": "Volapük", "wa": "walon", "war": "Winaray", "hi-Latn": "Hindi (Latin)", "az-Arab": "آذربایجان دیلی",
    "mn-Mong": "ᠮᠣᠩᠭᠣᠯ", "id": "bahasa Indonesia", "ms": "bahasa Melayu", "jv": "basa Jawa",
    "ak": "Akan", "bho": "भोजपुरी", "tn": "Setswana", "vec": "vèneto", "wuu": "吴语", "sat": "ᱥᱟᱱᱛᱟᱲᱤ",
}  # fmt: skip
"""What the language calls itself, where CLDR has no locale for it."""


def main() -> None:
    """Write the table, one language a line, sorted by tag."""
    english = Locale("en")
    classes = {item[:-1]: (family, int(item[-1])) for family, items in FAMILIES.items() for item in items.split()}
    lines = ["tag\tenglish_name\tautonym\tscript\tscript_name\tdirection\tjoshi\tfamily\tiso3"]
    for tag in sorted([*classes, *VARIANTS.split()]):
        language = tag.partition("-")[0]
        family, joshi = classes[language]
        script = script_of(tag)
        row = (
            tag,
            english_name(english, tag),
            autonym(tag),
            script,
            english.scripts.get(script, script),
            "rtl" if script in RIGHT_TO_LEFT else "ltr",
            str(joshi),
            family,
            langcodes.Language.get(language).to_alpha3(),
        )
        lines.append("\t".join(row))
    TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")


def script_of(tag: str) -> str:
    """Return the script the tag names or, by CLDR's likely subtags, implies."""
    named = langcodes.get(tag).script
    return named or langcodes.get(tag).maximize().script or "Zyyy"


def english_name(english: Locale, tag: str) -> str:
    """Return CLDR's English name; regions and scripts in brackets where CLDR has no name of its own."""
    language, _, rest = tag.partition("-")
    if tag in ENGLISH:
        return ENGLISH[tag]
    base = english.languages[language]
    if not rest:
        return base
    whole = english.languages.get(tag.replace("-", "_"))
    if whole:
        return whole
    return f"{base} ({english.scripts.get(rest) or english.territories[rest]})"


def autonym(tag: str) -> str:
    """Return what the language calls itself."""
    if tag in AUTONYMS:
        return AUTONYMS[tag]
    try:
        locale = Locale.parse(tag, sep="-")
    except UnknownLocaleError:
        locale = Locale(tag.partition("-")[0])
    name = locale.languages.get(tag.replace("-", "_"))
    if name:
        return name
    base, _, rest = tag.partition("-")
    whole = locale.languages[base]
    return f"{whole} ({locale.scripts.get(rest) or locale.territories[rest]})" if rest else whole


if __name__ == "__main__":
    main()
