"""Documents for a security officer say what is so."""

import json
import re
from importlib.metadata import version

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from primeur.governance.rules import PERMISSIONS, roles
from primeur.governance.security_documents import Document, bill_of_materials, model_document
from primeur.walks.add_model import NewVersion, add_model
from primeur.walks.add_provider import NewProvider, add_provider
from primeur.walks.deploy import NewRevision, deploy


async def get(client, name, form="json"):
    answer = await client.get(f"/api/v1/documents/{name}?form={form}")
    assert answer.status_code == 200, answer.text
    return answer.json() if form == "json" else answer.text


async def test_every_listed_document_can_be_had(client, founded, owner, write_gguf):
    """In both forms, one for each model."""
    await add_model(founded, owner, NewVersion("tiny", "apache-2.0"), write_gguf())
    names = [one["name"] for one in (await client.get("/api/v1/documents")).json()["data"]]
    assert names == ["roles", "data", "subprocessors", "sbom", "model-tiny"]
    for name in names:
        assert await get(client, name)
        assert name == "sbom" or (await get(client, name, "markdown")).startswith("# ")
    assert (await client.get("/api/v1/documents/none")).status_code == 404


async def test_the_table_of_roles_is_the_one_in_force(client):
    """Every permission, every role."""
    rows = (await get(client, "roles"))["sections"][0]["rows"]
    assert {row["permission"]: {role for role in roles if row[role]} for row in rows} == {
        word: {role for role, granted in roles.items() if word in granted} for word in PERMISSIONS
    }


async def test_the_data_sheet_follows_the_policies(client):
    """And the settings."""
    await client.patch("/api/v1/projects/default/data", json={"keep_days": 7, "zones": ["eu"]})
    await client.patch("/api/v1/projects/default", json={"keeps_prompts": True})
    sheet = await get(client, "data")
    [project] = sheet["sections"][1]["rows"]
    assert (project["days"], project["zones"], project["keeps prompts"]) == (7, ["eu"], True)
    assert "| default | yes | 7 |" in await get(client, "data", "markdown")


async def test_subprocessors_are_the_providers_that_are_declared(client, founded, owner):
    """With their zones, where they said one, and without their secrets."""
    settings = {"url": "https://api.example.org", "zone": "eu-west", "api_key": "sk-planted"}
    await add_provider(founded, owner, "far", NewProvider(kind="paper", settings=settings))
    await deploy(founded, owner, "cloud", NewRevision(provider="far", upstream_model="big"))
    [row] = (await get(client, "subprocessors"))["sections"][0]["rows"]
    assert (row["provider"], row["zone"], row["in use"]) == ("far", "eu-west", True)
    assert "sk-planted" not in json.dumps(row)


async def test_the_bill_of_materials_is_what_is_installed(client):
    """As the published schema of CycloneDX 1.6 has it."""
    found = await get(client, "sbom")
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(found)) is None
    assert found["metadata"]["component"]["version"] == version("primeur")
    assert {one["name"]: one["version"] for one in found["components"]}["msgspec"] == version("msgspec")
    references = [one["bom-ref"] for one in found["components"]]
    assert found["dependencies"][0]["dependsOn"] == references
    assert len(set(references)) == len(references)


def test_what_a_card_does_not_say_is_said_to_be_missing():
    """A sheet that is silent would read as if there were nothing to say."""
    sheet = model_document("m", {"version": 2, "licence": "mit"}, {"limits": ["a|b", "c"]}, ["chat"])
    said = {row["item"]: row["said"] for row in sheet.sections[0][2]}
    assert (said["licence"], said["energy used"], said["name and version"]) == ("mit", "not stated", "m, 2")
    assert "a\\|b, c |" in sheet.markdown


@pytest.mark.parametrize("value", ["a\nb", "a|b", None, True, ["x", None]])
def test_a_table_stays_a_table(value):
    """Whatever stands in it."""
    text = Document("d", "D", (("S", "", [{"k": value, "l": 1}]),)).markdown
    row = text.splitlines()[-1]
    assert len(re.findall(r"(?<!\\)\|", row)) == 3


def test_a_bill_names_its_own_program_apart():
    """As the thing that the rest belongs to."""
    found = bill_of_materials([("primeur", "1", "Apache-2.0"), ("A_b", "2", "")], "s", "t")
    assert found["components"][0]["purl"] == "pkg:pypi/a-b@2"
    assert found["metadata"]["component"]["type"] == "application"
