"""Weights as they lie in the store: sent as folders, verified, given back, cleared away."""

import msgspec

from primeur.gateway.admin.models import FileQuery, VersionView, show_version
from primeur.gateway.admin.page import Page, asked, in_force
from primeur.gateway.admin.receiving import draft_path, receive
from primeur.gateway.doors import Door
from primeur.gateway.visit import Answer, Visit, json_answer
from primeur.walks.add_model import NewVersion, add_folder
from primeur.walks.export_model import export_model
from primeur.walks.inspect_models import collect_weights, verify_model

_TIB = 1 << 40


class VerdictView(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a version's weights are what their digest says; *fault* is empty when they are."""

    version: int
    digest: str
    whole: bool
    fault: str


class Collect(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether to remove, or only to say what would be."""

    dry_run: bool = False


class CollectedView(msgspec.Struct, frozen=True, kw_only=True):
    """Weights that nothing names any more."""

    path: str
    size_bytes: int


class ExportQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which version; the newest when not given."""

    version: int | None = None


async def put_folder(visit: Visit) -> Answer:
    """``PUT /api/v1/models/{model}/folder``: the body is a tar archive of a safetensors folder's files."""
    query = asked(visit, FileQuery)
    archive = draft_path(visit, "tar")
    try:
        await receive(visit, archive)
        ask = NewVersion(visit.params["model"], query.licence or None, query.origin or None, query.sha256 or None)
        version = await add_folder(visit.house, visit.caller, ask, archive)
    finally:
        archive.unlink(missing_ok=True)
    return await in_force(visit, show_version(version), 201)


async def get_verification(visit: Visit) -> Answer:
    """``GET /api/v1/models/{model}/verification``: reads all weights again, so it takes as long as that takes."""
    found = await verify_model(visit.house, visit.params["model"])
    return json_answer(
        Page(
            [
                VerdictView(version=one.version.number, digest=one.version.digest, whole=not one.fault, fault=one.fault)
                for one in found
            ]
        )
    )


async def get_export(visit: Visit) -> Answer:
    """``GET /api/v1/models/{model}/export``: a GGUF file as it is, a folder as a tar archive."""
    name, stream = await export_model(visit.house, visit.params["model"], asked(visit, ExportQuery).version)
    headers = [
        (b"content-disposition", f'attachment; filename="{name}"'.encode()),
        (b"x-content-type-options", b"nosniff"),
    ]
    return Answer(headers=headers, content_type=b"application/octet-stream", stream=stream)


async def post_collect(visit: Visit) -> Answer:
    """``POST /api/v1/weights/collect``."""
    found = await collect_weights(visit.house, visit.caller, dry_run=visit.read(Collect).dry_run)
    return json_answer(Page([CollectedView(path=one.path, size_bytes=one.size_bytes) for one in found]))


_ONE = "/api/v1/models/{model}"
DOORS = (
    Door("PUT", _ONE + "/folder", put_folder, "Add a safetensors folder as the model's next version", "models:write",
         tells="VersionRegistered", face="admin", body_limit=_TIB, streams_body=True, gives=VersionView, status=201),
    Door("GET", _ONE + "/verification", get_verification, "Verify weights against their digests", "models:read",
         face="admin", gives=Page[VerdictView]),
    Door("GET", _ONE + "/export", get_export, "Give a version's weights back", "models:write", face="admin"),
    Door("POST", "/api/v1/weights/collect", post_collect, "Remove weights that nothing names", "models:write",
         tells="WeightsCollected", face="admin", takes=Collect, gives=Page[CollectedView]),
)  # fmt: skip
