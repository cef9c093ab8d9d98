"""Personal data and secrets in texts, found by form and checksum and replaced by the name of what stood there; pure.

Every expression is bounded, so a text takes time in proportion to its length, and is tried only in the stretches where
it can stand (`primeur.core.stretches`). What has a check digit is replaced only when it is right: a number that merely
looks like a card stays.

Sources: ISO/IEC 7812-1 (cards, Luhn), ISO 13616-1 (IBAN, mod 97), ITU-T E.164 (phones), INSEE "numero de securite
sociale", BOE RD 1553/2005 (DNI/NIE), Belgian Royal Decree of 3 April 1984, Italian D.M. 23 December 1976, German
Abgabenordnung 139b (ISO 7064 mod 11,10), HMRC NIM39110, US SSA RM 10201.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from primeur.core.errors import BadRequest
from primeur.core.reading import NOT_JSON
from primeur.core.stretches import Where, around_ats, around_numbers, everywhere, from_heads, holding, with_long_words

_DNI = "TRWAGMYFPDXBNJZSQVHLCKE"
_CF_MONTHS = "ABCDEHLMPRST"
# Where two people would have one code, letters stand for digits. Cases are spelt out: re's IGNORECASE takes more than
# ASCII's letters for them, which have no place in a checksum.
_CF_DIGIT = "[0-9L-NP-Vl-np-v]"
_CF_ODD = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14,
         16, 10, 22, 25, 24, 23),
        strict=True,
    )
)  # fmt: skip

# Names of fields mostly: nothing as short as this, with neither digit nor @, is anything that a rule finds.
_PLAIN = re.compile(r"[^0-9@]{0,15}")
_SIGNS = str.maketrans("", "", " .()/+-")
_LETTERS = {ord("A") + place: str(10 + place) for place in range(26)}
_DOUBLED = str.maketrans("0123456789", "0246813579")


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of thing: its form, whether a text of this form is one, and where in a text it can stand."""

    form: re.Pattern[str]
    holds: Callable[[str], bool] | None = None
    where: Where = everywhere

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Where it stands in *text*, from left to right; none crosses another.

        What has the form and does not hold hides nothing: a number before a card, or a word after an IBAN, may look
        like a part of it.
        """
        at = 0
        for first, last in self.where(text):
            at = max(at, first)
            while (found := self.form.search(text, at, last)) is not None:
                start, end = found.start(), self._end(text, found)
                if end is not None:
                    yield start, end
                at = start + 1 if end is None else max(end, start + 1)

    def _end(self, text: str, found: re.Match[str]) -> int | None:
        """Where the longest that holds ends, of those that begin as *found* does; None when none holds."""
        start, end = found.span()
        if self.holds is None or self.holds(found.group()):
            return end
        for stop in range(end - 1, start, -1):
            if not text[stop].isalnum() and self.form.fullmatch(text, start, stop) and self.holds(text[start:stop]):
                return stop
        return None


def replace_spans(text: str, spans: list[tuple[int, int]], instead: str) -> str:
    """Write *instead* in place of each of *spans*, which are in their order."""
    if not spans:
        return text
    starts, ends = zip(*spans, strict=True)
    return instead.join(text[start:end] for start, end in zip((0, *ends), (*starts, len(text)), strict=True))


def mask_text(text: str, names: Iterable[str]) -> str:
    """Replace what the named rules find by ``[name]``."""
    if _PLAIN.fullmatch(text):
        return text
    for name in names:
        text = replace_spans(text, list(RULES[name].spans(text)), f"[{name}]")
    return text


def mask_json(text: str, names: Iterable[str]) -> str:
    """Mask every text within JSON, names of fields included; what is not JSON is masked as it stands."""
    chosen = tuple(names)
    if not chosen:
        return text
    try:
        value = msgspec.json.decode(text)
    except NOT_JSON:
        return mask_text(text, chosen)
    return msgspec.json.encode(_masked(value, chosen)).decode()


def check_masks(names: Iterable[str]) -> tuple[str, ...]:
    """Give the rules in the order in which they are applied.

    Raises:
        BadRequest: there is no such rule; names those there are.
    """
    wanted = set(names)
    unknown = wanted - set(RULES)
    if unknown:
        raise BadRequest(f"there is no mask {min(unknown)!r}; there are: {', '.join(RULES)}", param="masks")
    return tuple(name for name in RULES if name in wanted)


def _masked(value: Any, names: tuple[str, ...]) -> Any:
    if isinstance(value, str):
        return mask_text(value, names)
    if isinstance(value, list):
        return [_masked(one, names) for one in value]
    if isinstance(value, dict):
        return {mask_text(key, names): _masked(one, names) for key, one in value.items()}
    return value


def _digits(text: str) -> str:
    return text.translate(_SIGNS)


def _is_card(text: str) -> bool:
    digits = _digits(text)
    checked = digits[::-2] + digits[-2::-2].translate(_DOUBLED)
    return 13 <= len(digits) <= 19 and sum(map(int, checked)) % 10 == 0


def _is_iban(text: str) -> bool:
    plain = text.translate(_SIGNS).upper()
    return 15 <= len(plain) <= 34 and int((plain[4:] + plain[:4]).translate(_LETTERS)) % 97 == 1


def _is_nir(text: str) -> bool:
    plain = re.sub(r"[^0-9AB]", "", text.upper())
    # Corsica's departments count as numbers of their own.
    number = plain[:5] + {"2A": "19", "2B": "18"}.get(plain[5:7], plain[5:7]) + plain[7:13]
    return len(plain) == 15 and number.isdigit() and int(plain[13:]) == 97 - int(number) % 97


def _is_dni(text: str) -> bool:
    plain = re.sub(r"[^0-9A-Z]", "", text.upper())
    return _DNI[int(plain[:-1].translate(str.maketrans("XYZ", "012"))) % 23] == plain[-1]


def _is_belgian(text: str) -> bool:
    digits = _digits(text)
    return int(digits[9:]) in {97 - int(century + digits[:9]) % 97 for century in ("", "2")}


def _is_codice_fiscale(text: str) -> bool:
    plain = text.upper()
    # At odd places the table counts, at even ones the digit or the letter's place in the alphabet.
    even = sum(int(sign) if sign.isdigit() else ord(sign) - 65 for sign in plain[1:15:2])
    return plain[15] == chr(65 + (sum(_CF_ODD[sign] for sign in plain[0:15:2]) + even) % 26)


def _is_steuer_id(text: str) -> bool:
    digits, product = _digits(text), 10
    counts = sorted((digits[:10].count(each) for each in set(digits[:10])), reverse=True)
    if len(digits) != 11 or counts[0] not in {2, 3} or counts[1:2] not in ([1], []):
        return False
    for digit in digits[:10]:
        total = (int(digit) + product) % 10 or 10
        product = total * 2 % 11
    return (11 - product) % 10 == int(digits[10])


def _is_phone(text: str) -> bool:
    return 8 <= len(_digits(text)) <= 15


def _rule(where: Where, form: str, holds: Callable[[str], bool] | None = None) -> Rule:
    return Rule(re.compile(form), holds, where)


_SECRETS = (
    r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[\s\S]{0,16384}?-----END [A-Z ]{0,40}PRIVATE KEY-----"
    r"|\beyJ[A-Za-z0-9_-]{8,4096}\.eyJ[A-Za-z0-9_-]{4,8192}\.[A-Za-z0-9_-]{8,2048}"
    r"|\bp[kls]_[A-Za-z0-9_-]{43}|\bsk-[A-Za-z0-9_-]{16,200}|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
    r"|\bgh[pousr]_[A-Za-z0-9]{36,255}|\bgithub_pat_[A-Za-z0-9_]{22,255}|\bglpat-[A-Za-z0-9_-]{20,100}"
    r"|\bxox[abprs]-[A-Za-z0-9-]{10,200}|\bAIza[0-9A-Za-z_-]{35}|\bhf_[A-Za-z0-9]{30,100}|\bwhsec_[A-Za-z0-9+/=]{24,100}"
)
_SECRETS_BEGIN = holding({
    "": ("eyJ", "AKIA", "ASIA", "AIza"),
    "-": ("-----BEGIN", "sk-", "glpat-", "xoxa-", "xoxb-", "xoxp-", "xoxr-", "xoxs-"),
    "_": ("pk_", "pl_", "ps_", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "hf_", "whsec_"),
})  # fmt: skip
RULES: Mapping[str, Rule] = {
    "secret": _rule(_SECRETS_BEGIN, _SECRETS),
    "email": _rule(around_ats, r"(?<![\w.%+-])[\w.%+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[A-Za-z]{2,63}\b"),
    "iban": _rule(from_heads, r"\b[A-Za-z]{2}[0-9]{2}(?:[ -]?[A-Za-z0-9]){11,30}\b", _is_iban),
    "fr_nir": _rule(
        around_numbers,
        r"(?<!\d)[12][ .-]?[0-9]{2}[ .-]?[0-9]{2}[ .-]?[0-9][0-9ABab][ .-]?[0-9]{3}[ .-]?[0-9]{3}[ .-]?[0-9]{2}(?!\d)",
        _is_nir,
    ),
    "card": _rule(
        around_numbers, r"(?<![\d.])(?=(?:[ -]?[0-9]){13})[0-9]{3,19}(?:[ -][0-9]{3,16}){0,5}(?!\d)", _is_card
    ),
    "be_nrn": _rule(
        around_numbers, r"(?<!\d)[0-9]{2}[.]?[0-9]{2}[.]?[0-9]{2}[ -]?[0-9]{3}[ .]?[0-9]{2}(?!\d)", _is_belgian
    ),
    "de_steuer_id": _rule(around_numbers, r"(?<!\d)[1-9][0-9](?: ?[0-9]{3}){3}(?!\d)", _is_steuer_id),
    "es_dni": _rule(around_numbers, r"\b(?:[0-9]{8}|[XYZxyz][- ]?[0-9]{7})[- ]?[A-Za-z]\b", _is_dni),
    "it_cf": _rule(
        with_long_words,
        rf"\b[A-Za-z]{{6}}{_CF_DIGIT}{{2}}[{_CF_MONTHS}{_CF_MONTHS.lower()}]{_CF_DIGIT}{{2}}[A-Za-z]{_CF_DIGIT}{{3}}[A-Za-z]\b",
        _is_codice_fiscale,
    ),
    "uk_nino": _rule(
        around_numbers,
        r"\b(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]\b",
    ),
    "us_ssn": _rule(around_numbers, r"(?<![\d-])(?!000|666|9)[0-9]{3}[- ](?!00)[0-9]{2}[- ](?!0000)[0-9]{4}(?![\d-])"),
    "phone": _rule(
        around_numbers,
        r"(?<![\w+])\+[0-9](?:[ .()/-]{0,2}[0-9]){7,14}(?!\d)|(?<![\w+])0[1-9](?:[ .-]?[0-9]{2}){4}(?!\d)"
        r"|(?<![\w+])\(?[2-9][0-9]{2}\)?[ .-][0-9]{3}[ .-][0-9]{4}(?!\d)",
        _is_phone,
    ),
}
"""In the order in which they are applied: what is sure before what is not."""
