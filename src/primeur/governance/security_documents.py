"""What a security officer asks for, written from what is so in this house; Markdown and JSON say the same; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Json = Any


@dataclass(frozen=True, slots=True)
class Document:
    """A document: sections with a text and a table each.

    Attributes:
        sections: title, text, rows; the keys of the first row are the columns.
    """

    name: str
    title: str
    sections: tuple[tuple[str, str, Sequence[Mapping[str, Any]]], ...]

    @property
    def builtins(self) -> Json:
        """As JSON."""
        return {
            "name": self.name,
            "title": self.title,
            "sections": [{"title": title, "text": text, "rows": list(rows)} for title, text, rows in self.sections],
        }

    @property
    def markdown(self) -> str:
        """As Markdown."""
        parts = [f"# {self.title}"]
        for title, text, rows in self.sections:
            parts += [part for part in (f"## {title}", text, _table(rows)) if part]
        return "\n\n".join(parts) + "\n"


def _table(rows: Sequence[Mapping[str, Any]]) -> str:
    if not rows:
        return ""
    columns = list(rows[0])
    lines = [f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]
    lines += [f"| {' | '.join(_cell(row.get(name)) for name in columns)} |" for row in rows]
    return "\n".join(lines)


def _cell(value: Any) -> str:
    return _words(value).replace("|", "\\|").replace("\n", " ")


def _words(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, list | tuple):
        return ", ".join(map(_words, value)) or "-"
    return str(value)


def roles_document(permissions: Mapping[str, str], roles: Mapping[str, frozenset[str]]) -> Document:
    """Who may do what."""
    rows = [
        {"permission": word, "means": means, **{role: word in granted for role, granted in roles.items()}}
        for word, means in permissions.items()
    ]
    text = "Every management route names its permission; nobody gives away more than they have."
    return Document("roles", "Roles and permissions", (("Table", text, rows),))


def data_document(projects: Sequence[Mapping[str, Any]], settings: Mapping[str, Any]) -> Document:
    """Which data flows where, and for how long it stays."""
    flows = [
        {"data": data, "from": source, "to": target, "kept": kept}
        for data, source, target, kept in (
            ("prompts, answers", "caller", "the engine or provider of the deployment", "see below, by project"),
            ("tokens, times, cost, address", "gateway", "journal, request log", "for good; the address as prompts"),
            ("changes, sign-ins, refusals", "gateway, console", "event log", "for good; it can only grow"),
            ("files, batches, responses, conversations", "caller", "data folder, database", "until deleted or expired"),
            ("keys, links, sessions", "gateway", "database", "keyed digests only"),
            ("secrets of providers", "operator", "database, or env: and file:", "sealed with AES-256-GCM"),
            ("webhooks", "gateway", "URLs on the egress list", "30 days after their end"),
        )
    ]  # fmt: skip
    return Document(
        "data",
        "Data flows and retention",
        (
            (
                "Flows",
                "Nothing leaves this house but to its providers, its webhooks and its checkpoints' place.",
                flows,
            ),
            ("By project", "A project keeps no prompts unless it asks for it.", projects),
            ("Settings in force", "", [{"setting": name, "value": value} for name, value in settings.items()]),
        ),
    )


def providers_document(providers: Sequence[Mapping[str, Any]]) -> Document:
    """Who else processes what callers send."""
    text = (
        "Parties to which prompts may be sent. A provider without a zone did not declare one; engines of this house "
        "run on its own machines and are no subprocessors."
    )
    return Document("subprocessors", "Subprocessors", (("Providers", text, providers),))


def model_document(
    model: str, facts: Mapping[str, Any], card: Mapping[str, Any], deployments: Sequence[str]
) -> Document:
    """What the EU AI Act wants said of a model, as far as its card says it.

    Source: Regulation (EU) 2024/1689, article 53(1)(b) and annex XII; what a card does not say is *not stated*.
    """
    wanted = {
        "name and version": (model, facts.get("version")),
        "digest of the weights": (facts.get("digest"),),
        "licence": (facts.get("licence"), card.get("licence")),
        "origin": (facts.get("origin"), card.get("origin")),
        "architecture and parameters": (facts.get("architecture"), facts.get("parameters")),
        "context, tokens": (facts.get("context_tokens"),),
        "modalities in and out": (card.get("modalities"),),
        "intended tasks": (card.get("tasks"), card.get("intended_use")),
        "acceptable use": (card.get("acceptable_use"),),
        "date of release": (card.get("released"), card.get("date")),
        "training data: kind and provenance": (card.get("data"), card.get("training_data")),
        "training compute": (card.get("compute"),),
        "energy used": (card.get("energy"),),
        "evaluation": (card.get("evaluation"), card.get("scores")),
        "limits and risks": (card.get("limits"), card.get("risks")),
    }
    rows = [{"item": item, "said": _said(values)} for item, values in wanted.items()]
    sections = [
        ("Statement", "As annex XII asks for it; what the model's card leaves out is said to be left out.", rows)
    ]
    if deployments:
        served = [{"deployment": name} for name in deployments]
        sections.append(
            ("Served as", "Whoever deploys it must tell people that they talk to a machine (article 50).", served)
        )
    if card.get("text"):
        sections.append(("The card in full", str(card["text"]), []))
    return Document(f"model-{model}", f"Transparency sheet: {model}", tuple(sections))


def _said(values: Sequence[Any]) -> Any:
    found = [value for value in values if value not in (None, "", [], {})]
    return ", ".join(map(_words, found)) if found else "not stated"


def bill_of_materials(packages: Sequence[tuple[str, str, str]], serial: str, at: str) -> Json:
    """The software that runs here, as CycloneDX 1.6.

    Args:
        packages: name, version and licence, the program itself first.
        serial: a UUID.
        at: ISO 8601, UTC.

    Source: ECMA-424 (CycloneDX 1.6), JSON form.
    """
    made = [_component(*package) for package in packages]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {"timestamp": at, "component": {**made[0], "type": "application"}},
        "components": made[1:],
        "dependencies": [{"ref": made[0]["bom-ref"], "dependsOn": [one["bom-ref"] for one in made[1:]]}],
    }


def _component(name: str, version: str, licence: str) -> dict[str, Any]:
    reference = f"pkg:pypi/{name.lower().replace('_', '-')}@{version}"
    found: dict[str, Any] = {
        "type": "library",
        "bom-ref": reference,
        "name": name,
        "version": version,
        "purl": reference,
    }
    if licence:
        found["licenses"] = [{"license": {"name": licence}}]
    return found
