"""What commands may say of a version: licence, origin, languages, card, and the day on which it ends."""

from pathlib import Path
from typing import Annotated, Any

import typer

from primeur.core.errors import BadRequest

Licence = Annotated[str, typer.Option("--licence", "--license", help="SPDX expression.")]
Origin = Annotated[str, typer.Option(help="Where it came from.")]
Languages = Annotated[str, typer.Option(help="Language tags, such as en,fr.")]
Card = Annotated[Path | None, typer.Option(help="Markdown file that says what it can and cannot do.")]
Retires = Annotated[str, typer.Option(help="Day on which it ends, such as 2027-01-31.")]
ContextTokens = Annotated[int | None, typer.Option(min=1, help="Prompt and answer together, of a provider's model.")]
_CARD_LIMIT = 1 << 20


def read_said(*, licence: str, origin: str, languages: str, card: Path | None, retires: str) -> dict[str, Any]:
    """Give what was said, as the API takes it.

    Raises:
        BadRequest: the card cannot be read.
    """
    said: dict[str, Any] = {
        "licence": licence,
        "origin": origin,
        "languages": [tag.strip() for tag in languages.split(",") if tag.strip()],
        "card": None if card is None else {"text": _read_card(card)},
        "retires": retires,
    }
    return {field: value for field, value in said.items() if value}


def read_default(said: str) -> int | None:
    """Give the number of a default version; None for ``newest``.

    Raises:
        BadRequest: neither a number nor that word.
    """
    if said in {"newest", "latest"}:
        return None
    if not said.isdecimal() or int(said) < 1:
        raise BadRequest(f"--default takes the number of a version, or newest, not {said!r}")
    return int(said)


def _read_card(path: Path) -> str:
    try:
        if path.stat().st_size > _CARD_LIMIT:
            raise BadRequest(f"{path} is larger than 1 MiB; a card is read by people")
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadRequest(f"{path} cannot be read as text: {error}; name a Markdown file") from None
