"""Roll-outs and observations on both databases."""

from primeur.core.usage import Usage, UsageEvent
from primeur.metering.rows import keep_usage
from primeur.registry import deployment_rows, roll_out_rows
from primeur.registry.observation_rows import Fault, keep_faults, list_ended
from primeur.registry.roll_outs import RollOutPolicy


def deployed(tx):
    row = deployment_rows.keep_deployment(tx, deployment_rows.DeploymentRow("dep_1", "chat", 1))
    for number in (1, 2):
        one = deployment_rows.Revision(
            f"rev_{number}", row.id, number, {}, 100 if number == 1 else 0, number, engine="echo"
        )
        deployment_rows.add_revision(tx, one)
    policy = RollOutPolicy(steps=(10, 50))
    roll_out = roll_out_rows.RollOut("rol_1", row.id, "rev_2", "rev_1", "registered", 0, policy, 5, 5)
    roll_out_rows.add_roll_out(tx, roll_out)
    return roll_out


def test_a_step_moves_state_and_shares_together(store):
    """And the policy is read back as it was."""

    def work(tx):
        row = deployed(tx)
        shares = []
        for move in ("prepare", "open", "widen", "promote", "roll_back"):
            row = roll_out_rows.move_roll_out(tx, row, move, 9)
            shares.append({one.number: one.share for one in deployment_rows.list_revisions(tx)})
        return row, shares

    row, shares = store.transact_now(work)
    assert (row.state, row.policy.steps, row.since_ms) == ("rolled_back", (10, 50), 9)
    assert shares == [{1: 100, 2: 0}, {1: 90, 2: 10}, {1: 50, 2: 50}, {1: 0, 2: 100}, {1: 100, 2: 0}]


def test_what_ended_is_seen_once_and_in_order(store):
    """Hang-ups say nothing; a fault that was covered is one."""

    def work(tx):
        keep_usage(
            tx,
            [
                UsageEvent("req_1", 900, "chat", "completed", 200, revision_id="rev_1", duration_us=300_000,
                           usage=Usage(1, output_tokens=10), first_token_us=50_000, cost_nanos=7),
                UsageEvent("req_2", 1000, "chat", "failed", 200, revision_id="rev_2", duration_us=50_000),
                UsageEvent("req_3", 1000, "chat", "cancelled", 200, revision_id="rev_2", duration_us=50_000),
            ],
        )  # fmt: skip
        fault = Fault("req_1", "rev_2", 1100, "upstream_error")
        keep_faults(tx, [fault, fault])
        keep_faults(tx, [])
        return list_ended(tx, ["rev_1", "rev_2"], 1000, 2000)

    seen = store.transact_now(work)
    assert [(one.request_id, one.revision_id, one.ended_ms, one.what.failed) for one in seen] == [
        ("req_2", "rev_2", 1050, True), ("req_1", "rev_2", 1100, True), ("req_1", "rev_1", 1200, False),
    ]  # fmt: skip
    assert (seen[2].what.token_us, seen[2].what.cost_nanos) == (30_000, 7)
