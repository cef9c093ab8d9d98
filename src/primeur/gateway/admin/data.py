"""What becomes of people's data: policies, erasure, export."""

import msgspec

from primeur.gateway.admin.page import in_force
from primeur.gateway.doors import Door
from primeur.gateway.visit import Answer, Visit, json_answer
from primeur.governance.data_rows import find_policy
from primeur.governance.data_rules import DataPolicy
from primeur.walks.choose_project import choose_project
from primeur.walks.export_project import export_project, take_training_data
from primeur.walks.keep_data import DataChange, Erased, Erasure, erase_person, set_data_policy


class DataPolicyView(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of a project's data; see docs/rooms/governance.md."""

    project_id: str
    keep_days: int | None
    masks: list[str]
    zones: list[str] | None
    trains: bool


def _show(policy: DataPolicy) -> DataPolicyView:
    zones = None if policy.zones is None else list(policy.zones)
    return DataPolicyView(
        project_id=policy.project_id,
        keep_days=policy.keep_days,
        masks=list(policy.masks),
        zones=zones,
        trains=policy.trains,
    )


async def get_policy(visit: Visit) -> Answer:
    """``GET /api/v1/projects/{project}/data``."""
    name = visit.params["project"]
    found = await visit.house.store.read(lambda tx: find_policy(tx, choose_project(tx, visit.caller, name).id))
    return json_answer(_show(found))


async def patch_policy(visit: Visit) -> Answer:
    """``PATCH /api/v1/projects/{project}/data``."""
    made = await set_data_policy(visit.house, visit.caller, visit.params["project"], visit.read(DataChange))
    return await in_force(visit, _show(made))


async def post_erasure(visit: Visit) -> Answer:
    """``POST /api/v1/erasures``."""
    return json_answer(await erase_person(visit.house, visit.caller, visit.read(Erasure)), 201)


async def post_export(visit: Visit) -> Answer:
    """``POST /api/v1/projects/{project}/export``."""
    pieces = await export_project(visit.house, visit.caller, visit.params["project"])
    return Answer(200, content_type=b"application/x-tar", stream=pieces)


async def post_training_data(visit: Visit) -> Answer:
    """``POST /api/v1/projects/{project}/training-data``."""
    pieces = await take_training_data(visit.house, visit.caller, visit.params["project"])
    return Answer(200, content_type=b"application/jsonl", stream=pieces)


_ONE = "/api/v1/projects/{project}"
DOORS = (
    Door("GET", _ONE + "/data", get_policy, "Show what becomes of a project's data", "data:read", face="admin",
         gives=DataPolicyView),
    Door("PATCH", _ONE + "/data", patch_policy, "Change what becomes of a project's data", "data:write",
         tells="DataPolicySet", face="admin", takes=DataChange, gives=DataPolicyView),
    Door("POST", "/api/v1/erasures", post_erasure, "Erase what a person said and was told", "data:write",
         tells="PersonErased", face="admin", takes=Erasure, gives=Erased, status=201),
    Door("POST", _ONE + "/export", post_export, "Take a copy of everything that a project owns", "data:write",
         tells="ProjectExported", face="admin"),
    Door("POST", _ONE + "/training-data", post_training_data, "Take kept exchanges of a project that opted in",
         "data:write", tells="TrainingDataTaken", face="admin"),
)  # fmt: skip
