"""What ``primeur up`` says: progress, then the three lines a person needs."""

import asyncio

from rich.console import Console

from primeur.walks.check_readiness import check_readiness
from primeur.walks.house import House

_LOOK_S = 0.1


async def greet(out: Console, house: House, url: str, *, key: str | None, link: str) -> None:
    """Show progress until every engine is up or has failed, then how to begin."""
    with out.status("Starting engines") as status:
        while waiting := check_readiness(house):
            status.update("; ".join(waiting))
            await asyncio.sleep(_LOOK_S)
    for name, deployment in sorted(house.board.now.deployments.items()):
        if deployment.pending and not deployment.targets:
            _say(out, f"{name} is not up: {deployment.pending}", style="yellow")
    _say(out, f"Open  {url}/sign-in/{link}")
    _say(out, f"Key   {key or 'was shown at the first start; `primeur keys create NAME` makes another'}")
    _say(out, f"Try   {_example(house, url, key or '$PRIMEUR_KEY')}")


def _example(house: House, url: str, key: str) -> str:
    names = sorted(house.board.now.deployments)
    model = "starter" if "starter" in names else next(iter(names), "MODEL")
    body = f'{{"model":"{model}","messages":[{{"role":"user","content":"Hello!"}}]}}'
    return f"curl {url}/v1/chat/completions -H \"Authorization: Bearer {key}\" -d '{body}'"


def _say(out: Console, line: str, style: str | None = None) -> None:
    out.print(line, soft_wrap=True, markup=False, style=style)
