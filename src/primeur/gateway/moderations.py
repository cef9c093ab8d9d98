"""``/v1/moderations``: answered by guards, once there are some."""

import msgspec

from primeur.archive.wire import CreateModeration
from primeur.core.errors import BadRequest
from primeur.gateway.doors import Door
from primeur.gateway.visit import Answer, Visit, json_answer
from primeur.trust.moderation import Moderated
from primeur.walks.log_refusal import Arrival
from primeur.walks.moderate import moderate

_TEXTS_MOST = 128


class ModerationObject(msgspec.Struct, frozen=True):
    """What is answered."""

    id: str
    model: str
    results: list[Moderated]


async def create_moderation(visit: Visit) -> Answer:
    """Judge texts; without a guard, say so: an empty verdict would read as "harmless"."""
    asked = visit.read(CreateModeration)
    arrival = Arrival(visit.id, visit.path, visit.arrived_ms, visit.arrived_us, visit.address)
    found = await moderate(visit.house, visit.caller, arrival, asked.model, _texts(asked))
    return json_answer(ModerationObject(f"modr-{visit.id.removeprefix('req_')}", asked.model, found))


def _texts(asked: CreateModeration) -> list[str]:
    """Give the texts to be judged: each of several, or the parts of one thing together.

    Raises:
        BadRequest: there is none, there are too many, or a part is no text.
    """
    if isinstance(asked.input, str):
        return [asked.input]
    if not 0 < len(asked.input) <= _TEXTS_MOST:
        raise BadRequest(f"input is a text, or 1 to {_TEXTS_MOST} of them, not {len(asked.input)}", param="input")
    texts = [one for one in asked.input if isinstance(one, str)]
    if len(texts) == len(asked.input):
        return texts
    return ["\n".join(_text(number, one) for number, one in enumerate(asked.input))]


def _text(number: int, part: object) -> str:
    if isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str):
        return str(part["text"])
    raise BadRequest(
        f'input[{number}] must be {{"type": "text", "text": "..."}}; guards read text, not images',
        param=f"input[{number}]",
    )


DOORS = (
    Door(
        "POST",
        "/v1/moderations",
        create_moderation,
        "Judge texts with the guards of deployments",
        "inference",
        meter="usage",
        takes=CreateModeration,
        gives=ModerationObject,
    ),
)
