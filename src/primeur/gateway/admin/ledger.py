"""The ledger: proof."""

from primeur.gateway.doors import Door
from primeur.gateway.visit import Answer, Visit, json_answer
from primeur.ledger.audit import Proof
from primeur.walks.verify_ledger import verify_ledger


async def get_proof(visit: Visit) -> Answer:
    """``GET /api/v1/ledger/verify``."""
    return json_answer(await verify_ledger(visit.house))


DOORS = (Door("GET", "/api/v1/ledger/verify", get_proof, "Prove the ledger", "ledger:read", face="admin", gives=Proof),)
