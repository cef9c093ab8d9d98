"""The chat page: which deployments can be talked to, and what their models' cards warn of."""

from typing import Any

from starlette.responses import Response

from primeur.console import show
from primeur.console.api import Json
from primeur.console.desk import Page

# Below this many parameters a language model writes fluent nonsense, whatever it was trained on.
TINY_PARAMETERS = 100_000_000


async def show_chat(page: Page) -> Response:
    """Draw the chat page; everything after that is the browser's and the inference API's."""
    deployments = (await page.api.get("/api/v1/deployments"))["data"]
    models = (await page.api.get("/api/v1/models"))["data"]
    versions = versions_of(models)
    choices = [choice(one) | {"warning": warning_of(page, one, versions)} for one in deployments if can_chat(one)]
    return page.draw("chat.html", deployments=choices)


def can_chat(deployment: Json) -> bool:
    """Whether a deployment is for talking to; one that is still loading has not said, so it is listed."""
    return "chat" in deployment["routes"] or deployment["state"] != "ready"


def choice(deployment: Json) -> Json:
    """What the chat page knows of a deployment."""
    return {
        "name": deployment["name"],
        "model": deployment["model"],
        "ready": deployment["state"] == "ready",
        "detail": deployment["pending"],
        "features": deployment["features"],
        "context": deployment["context_tokens"],
    }


def versions_of(models: list[Json]) -> dict[tuple[str, int], Json]:
    """Each version, by its model's name and its number."""
    return {(model["name"], version["number"]): version for model in models for version in model["versions"]}


def warning_of(page: Page, deployment: Json, versions: dict[tuple[str, int], Json]) -> str:
    """What people should know before they believe the version that serves now; empty when nothing is known."""
    for revision in deployment["revisions"]:
        if revision["share"] > 0:
            version = versions.get((revision["model"], revision["version"]))
            return warning_about(page, version) if version else ""
    return ""


def warning_about(page: Page, version: Json) -> str:
    """The card's own warning, or ours for a model too small to be right."""
    said = in_language((version["card"] or {}).get("warning"), page.words.language)
    parameters = version["parameters"]
    writes = "bert" not in (version["architecture"] or "")
    if said or not writes or parameters is None or parameters >= TINY_PARAMETERS:
        return said
    millions = show.decimal(parameters / 1e6, 1, page.words.language)
    return page.say("chat.tiny", millions=millions)


def in_language(words: Any, language: str) -> str:
    """A card's text: the same for everybody, or a table by language."""
    if isinstance(words, dict):
        return str(words.get(language) or words.get("en") or "")
    return str(words or "")
