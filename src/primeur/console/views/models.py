"""The models page: what may be run, from where, under which licence, and what it cannot do."""

from starlette.responses import Response

from primeur.console.api import Json
from primeur.console.desk import Page
from primeur.console.views.chat import warning_about

# Said elsewhere on the page, or of no use to a person.
_SAID = {"text", "parameters", "context", "warning"}


async def show_models(page: Page) -> Response:
    """List models with their versions, newest first, and their cards."""
    models = (await page.api.get("/api/v1/models"))["data"]
    return page.draw("models.html", models=[_shown(page, model) for model in models])


def _shown(page: Page, model: Json) -> Json:
    versions = [
        one
        | {"warning": warning_about(page, one), "facts": facts_of(one["card"] or {}), "text": text_of(one["card"])}
        | {"is_default": one["number"] == (model["default_version"] or len(model["versions"]))}
        for one in reversed(model["versions"])
    ]
    return model | {"versions": versions}


def facts_of(card: Json) -> list[tuple[str, str]]:
    """What a card lists, as names and values for people."""
    return [(name.replace("_", " "), _flat(value)) for name, value in card.items() if name not in _SAID]


def text_of(card: Json | None) -> str:
    """A card's own text in Markdown."""
    return str((card or {}).get("text", ""))


def _flat(value: object) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_flat(one)}" for name, one in value.items())
    if isinstance(value, list):
        return ", ".join(_flat(one) for one in value)
    return str(value)
