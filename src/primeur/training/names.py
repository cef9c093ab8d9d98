"""Names from Unicode's CLDR: places, languages, money, days, months and emoji, in English and French."""

import xml.etree.ElementTree as ET
from pathlib import Path

LANGUAGES = ("en", "fr")
CLDR = "unicode-cldr-core/usr/share/unicode/cldr/common"
GREGORIAN = "dates/calendars/calendar[@type='gregorian']"


def read_root(folder: Path, language: str) -> ET.Element:
    """The main names of a language."""
    return parse(folder / CLDR / f"main/{language}.xml")


def parse(path: Path) -> ET.Element:
    """A file of Debian's package as a tree."""
    return ET.parse(path).getroot()  # noqa: S314 - a signed package's own file, not a stranger's


def named(root: ET.Element, path: str) -> dict[str, str]:
    """Names by code; short and alternative forms left out."""
    return {
        e.get("type", ""): e.text for e in root.findall(f"localeDisplayNames/{path}") if e.text and not e.get("alt")
    }


def read_emoji(folder: Path, language: str) -> dict[str, str]:
    """Emoji and their spoken names. Source: UTS 35, part 2, "Annotations"."""
    root = parse(folder / CLDR / f"annotations/{language}.xml")
    return {
        e.get("cp", ""): e.text
        for e in root.iter("annotation")
        if e.get("type") == "tts" and e.text and ord(e.get("cp", " ")[0]) > 0x2300
    }


def keep_plain(emoji: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """Only emoji with a short name in both languages, of which one is not wordier about the same drawing."""
    kept = [
        sign
        for sign, name in emoji["en"].items()
        if len(name.split()) <= 2
        and len(emoji["fr"].get(sign, "a b c d").split()) <= 3
        and ("face" in name or not emoji["fr"][sign].startswith("tête"))
    ]
    return {language: {sign: emoji[language][sign] for sign in kept} for language in emoji}


def read_everyday(folder: Path) -> dict[str, int]:
    """Everyday words: 2 for one that names an emoji, 1 for one that is a keyword of one."""
    root = parse(folder / CLDR / "annotations/en.xml")
    found: dict[str, int] = {}
    for note in root.iter("annotation"):
        rank = 2 if note.get("type") == "tts" else 1
        for word in (note.text or "").split(" | "):
            found[word] = max(rank, found.get(word, 0))
    return found


def read_lists(root: ET.Element, language: str) -> dict[str, tuple[str, ...]]:
    """Days from Monday, and months from January."""
    days = [
        root.findtext(f"{GREGORIAN}/days/dayContext[@type='format']/dayWidth[@type='wide']/day[@type='{day}']", "")
        for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    ]
    months = [
        root.findtext(
            f"{GREGORIAN}/months/monthContext[@type='format']/monthWidth[@type='wide']/month[@type='{month}']", ""
        )
        for month in range(1, 13)
    ]
    keys = {"en": ("days of the week", "months"), "fr": ("jours de la semaine", "mois")}[language]
    return {keys[0]: tuple(days), keys[1]: tuple(months)}


def read_money(folder: Path, names: ET.Element, places: dict[str, str]) -> tuple[tuple[str, str], ...]:
    """(country, its present currency)."""
    root = parse(folder / CLDR / "supplemental/supplementalData.xml")
    spoken = {
        e.get("type"): e.findtext("displayName[@count='one']") for e in names.findall("numbers/currencies/currency")
    }
    found = []
    for region in root.findall("currencyData/region"):
        now = [e.get("iso4217") for e in region if not e.get("to") and e.get("tender") != "false"]
        place, name = places.get(region.get("iso3166", "")), spoken.get(now[0]) if now else None
        if place and name:
            found.append((place, name))
    return tuple(found)


def read_tongues(folder: Path, names: dict[str, str], places: dict[str, str]) -> tuple[tuple[str, str], ...]:
    """(country, its official languages, commas between)."""
    root = parse(folder / CLDR / "supplemental/supplementalData.xml")
    found = []
    for territory in root.findall("territoryInfo/territory"):
        place = places.get(territory.get("type", ""))
        spoken = [names.get(e.get("type", "")) for e in territory if e.get("officialStatus") == "official"]
        if place and (kept := [name for name in spoken if name]):
            found.append((place, ", ".join(kept[:4])))
    return tuple(found)
