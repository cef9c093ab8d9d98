"""Time in: moves on whatever is unfinished, and goes on when one of its stories stumbles."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from primeur.walks.alert_budgets import alert_budgets
from primeur.walks.exhaust_commitments import exhaust_commitments
from primeur.walks.expire_files import expire_files
from primeur.walks.export_traces import export_metrics, export_traces
from primeur.walks.follow_changes import follow_changes
from primeur.walks.house import House
from primeur.walks.judge_roll_outs import judge_roll_outs
from primeur.walks.keep_audit import keep_audit
from primeur.walks.measure_memory import measure_memory
from primeur.walks.move_subscriptions import move_subscriptions
from primeur.walks.note_use import note_use
from primeur.walks.run_batches import run_batches
from primeur.walks.scale_deployments import scale_deployments
from primeur.walks.send_mails import send_mails
from primeur.walks.send_webhook import deliver_webhooks
from primeur.walks.sum_money import sum_money
from primeur.walks.upgrade_deployments import upgrade_deployments
from primeur.walks.watch_capacity import watch_capacity
from primeur.walks.write_usage import write_usage

Story = Callable[[House, asyncio.Event], Awaitable[None]]

STORIES: tuple[Story, ...] = (
    follow_changes,
    write_usage,
    run_batches,
    expire_files,
    deliver_webhooks,
    keep_audit,
    judge_roll_outs,
    upgrade_deployments,
    export_traces,
    export_metrics,
    measure_memory,
    scale_deployments,
    watch_capacity,
    exhaust_commitments,
    move_subscriptions,
    sum_money,
    alert_budgets,
    send_mails,
    note_use,
)

_RETRY_S = 1.0
_log = logging.getLogger("primeur.worker")


async def work(house: House, stop: asyncio.Event) -> None:
    """Run every story until *stop*."""
    async with asyncio.TaskGroup() as group:
        for story in STORIES:
            group.create_task(_keep_going(story, house, stop), name=story.__name__)


async def _keep_going(story: Story, house: House, stop: asyncio.Event) -> None:
    while True:
        try:
            await story(house, stop)
        except Exception:  # noqa: BLE001
            # One story's trouble (a full disk, a lost database) must not end the others.
            _log.exception("%s stumbled; it goes on in %s s", story.__name__, _RETRY_S)
        if stop.is_set():
            return
        await asyncio.sleep(_RETRY_S)
