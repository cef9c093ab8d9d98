"""Let those engines run that the deployments need, and no others."""

from primeur.walks.compile_snapshot import compile_snapshot
from primeur.walks.house import House


async def want_engines(house: House) -> None:
    """Tell the host what should run; call it before the snapshot is compiled, which then sees the engines' states.

    A revision that cannot be planned is not among them: the snapshot shows its reason, and the others run.
    """
    house.host.want((await compile_snapshot(house)).launches)
