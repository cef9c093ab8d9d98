"""Whole stories of batches, with an engine that does what the test hands it."""

import asyncio
import dataclasses

import msgspec
import pytest

from primeur.archive.batch_rows import Batch, claim_batch, find_batch, insert_batch, move_batch, open_lines
from primeur.archive.file_rows import find_file
from primeur.archive.rules import DAY_MS, Label
from primeur.core.caller import Caller, Limits
from primeur.core.errors import OverLimit, TargetFailed
from primeur.core.ports import Standing
from primeur.governance import rows as governance
from primeur.walks.complete import Completion
from primeur.walks.house import Snapshot
from primeur.walks.keep_file import keep_file
from primeur.walks.run_batches import run_batches

CALLER = Caller("key_1", "prj_1", "org_1", "app", frozenset({"inference"}))
CHAT = "/v1/chat/completions"
ENDS = {"failed", "completed", "expired", "cancelled"}


class Engine:
    """Answers each line with its own words; *does* may fail or wait for one of them."""

    def __init__(self, does=None):
        self.does = does
        self.ran = []
        self.ids = []

    async def __call__(self, _house, _caller, ask):
        word = ask.fields.messages[-1].content
        assert ask.low_priority
        self.ids.append(ask.id)
        if self.does is not None:
            await self.does(word)
        self.ran.append(word)
        message = {"role": "assistant", "content": word}
        usage = {"prompt_tokens": 1, "completion_tokens": 2}
        answer = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": usage}
        return Completion(None, 200, Standing(), 0, body=msgspec.json.encode(answer))


def line(word, url=CHAT, **body):
    body = {
        "model": "m",
        **({"input": word} if url == "/v1/responses" else {"messages": [{"role": "user", "content": word}]}),
        **body,
    }
    return {"custom_id": word, "method": "POST", "url": url, "body": body}


class Desk:
    """Files and batches of one house, and the story that runs them."""

    def __init__(self, house):
        self.house = house

    async def batch(self, lines, endpoint=CHAT):
        text = b"\n".join(one if isinstance(one, bytes) else msgspec.json.encode(one) for one in lines)
        draft = self.house.blobs.draft(1 << 20, "it")
        draft.write(text)
        file = await keep_file(self.house, CALLER, draft.seal(), Label("in.jsonl", "batch"))
        now_ms = self.house.clock.now_ms()
        made = Batch(
            "batch_1", "prj_1", "key_1", "validating", endpoint, file.id, None, None, 0, 0, 0, "{}", "{}",
            now_ms + DAY_MS, None, None, now_ms,
        )  # fmt: skip
        self.house.store.transact_now(lambda tx: insert_batch(tx, made))

    @property
    def now(self):
        return self.house.store.read_now(lambda tx: find_batch(tx, "prj_1", "batch_1"))

    async def run(self, engine, until=lambda batch: batch.state in ENDS):
        """Run the story until the batch has come so far, then stop it."""
        stop = asyncio.Event()
        task = asyncio.create_task(run_batches(self.house, stop, engine))
        async with asyncio.timeout(30):
            while not until(self.now):
                await asyncio.sleep(0.02)
        stop.set()
        await task
        return self.now

    def file(self, file_id):
        digest = self.house.store.read_now(lambda tx: find_file(tx, "prj_1", file_id, 0)).digest
        return [msgspec.json.decode(text) for text in self.house.blobs.path(digest).read_bytes().splitlines()]


@pytest.fixture
def desk(house):
    """A house with a project and a key that the snapshot knows."""

    def found(tx):
        governance.add_organisation(tx, governance.Organisation("org_1", "default", 1))
        project = governance.Project("prj_1", "org_1", "default", keeps_prompts=False, limits=Limits(), created_ms=2)
        governance.add_project(tx, project)

    house.store.transact_now(found)
    house.board.now = Snapshot(sequence=1, callers={b"d": CALLER})
    return Desk(house)


async def test_every_line_is_answered_in_the_output_file(desk):
    """In the order of the input, with what it all used."""
    await desk.batch([line("a"), b"", line("b"), line("c")])
    done = await desk.run(Engine())
    assert (done.state, done.total, done.completed, done.failed) == ("completed", 3, 3, 0)
    output = desk.file(done.output_file_id)
    assert [one["custom_id"] for one in output] == ["a", "b", "c"]
    assert [one["response"]["body"]["choices"][0]["message"]["content"] for one in output] == ["a", "b", "c"]
    assert done.error_file_id is None
    assert done.about.usage["total_tokens"] == 9
    assert done.about.model == "m"
    assert set(done.reached_ms) == {"in_progress", "finalizing", "completed"}


async def test_responses_run_in_batches_too(desk):
    """And are kept like others."""
    await desk.batch([line("a", "/v1/responses")], "/v1/responses")
    done = await desk.run(Engine())
    (output,) = desk.file(done.output_file_id)
    assert output["response"]["body"]["output"][0]["content"][0]["text"] == "a"


async def test_faulty_lines_fail_the_batch_before_any_runs(desk):
    """Each is named by its number."""
    await desk.batch([line("a"), b"{nope", line("a"), line("b", "/v1/embeddings")])
    engine = Engine()
    done = await desk.run(engine)
    assert done.state == "failed"
    assert [(fault.line, fault.code) for fault in done.about.errors] == [
        (2, "invalid_json"),
        (3, "duplicate_custom_id"),
        (4, "invalid_url"),
    ]
    assert engine.ran == []


async def test_an_empty_file_fails_the_batch(desk):
    """Blank lines are no lines."""
    await desk.batch([b"", b"  "])
    (fault,) = (await desk.run(Engine())).about.errors
    assert fault.code == "empty_file"


async def test_what_the_caller_got_wrong_goes_to_the_error_file(desk):
    """With the status that the endpoint itself would have given; the others are answered."""
    await desk.batch([line("a"), line("b", temperature=9)])
    done = await desk.run(Engine())
    assert (done.completed, done.failed) == (1, 1)
    (error,) = desk.file(done.error_file_id)
    assert (error["custom_id"], error["response"]["status_code"]) == ("b", 400)
    assert error["response"]["body"]["error"]["param"] == "temperature"
    (refusal,) = desk.house.journal.events
    assert (refusal.outcome, refusal.status, refusal.id) == ("refused", 400, error["response"]["request_id"])


async def test_a_line_waits_for_a_limit_and_takes_a_new_id(desk):
    """Under the old one the journal may have something already."""
    refusals = [OverLimit("full", retry_after_ms=1)]

    async def once(_word):
        if refusals:
            raise refusals.pop()

    engine = Engine(once)
    await desk.batch([line("a")])
    done = await desk.run(engine)
    assert (done.completed, len(engine.ids), len(set(engine.ids))) == (1, 2, 2)


async def test_a_revoked_key_runs_nothing(desk):
    """Its lines say so."""
    await desk.batch([line("a")])
    desk.house.board.now = Snapshot(sequence=1)
    done = await desk.run(Engine())
    (error,) = desk.file(done.error_file_id)
    assert error["response"]["status_code"] == 401


async def test_a_finished_line_is_not_run_again_after_a_stop(desk):
    """One that was cut short is, as another request."""
    hang = asyncio.Event()

    async def hangs(word):
        if word == "b":
            await hang.wait()

    first = Engine(hangs)
    await desk.batch([line("a"), line("b")])
    stopped = await desk.run(first, until=lambda batch: batch.completed == 1)
    assert (stopped.state, stopped.runner) == ("in_progress", None)
    second = Engine()
    done = await desk.run(second)
    assert (first.ran, second.ran, done.completed) == (["a"], ["b"], 2)
    assert first.ids[1] != second.ids[0]


async def test_a_line_keeps_its_id_through_a_crash(desk):
    """So that an answer which was counted before the crash is not counted again."""
    await desk.batch([line("a")])
    stuck = asyncio.Event()
    first = Engine(lambda _: stuck.wait())
    task = asyncio.create_task(run_batches(desk.house, asyncio.Event(), first))
    while not first.ids:
        await asyncio.sleep(0.02)
    waiting = desk.house.store.read_now(lambda tx: open_lines(tx, "batch_1"))
    # What a crash leaves: the claim stands, nothing was put in order.
    assert waiting == {1: first.ids[0]}
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_claim_of_a_dead_process_lapses(desk, clock):
    """Another one takes over where it stood."""
    await desk.batch([line("a")])

    batch = desk.now
    assert desk.house.store.transact_now(lambda tx: claim_batch(tx, batch, "dead", clock.ms + 10_000))
    clock.ms += 10_000
    assert (await desk.run(Engine())).state == "completed"


async def test_a_cancelled_batch_ends_with_what_is_finished(desk):
    """Lines that run end; those that wait are told as errors."""

    async def slow(word):
        if word == "a":
            batch = desk.now
            desk.house.store.transact_now(lambda tx: move_batch(tx, batch, "cancel", 5))
        else:
            raise OverLimit("full", retry_after_ms=60_000)

    await desk.batch([line(word) for word in "abc"])
    done = await desk.run(Engine(slow))
    assert (done.state, done.completed) == ("cancelled", 1)
    assert [one["custom_id"] for one in desk.file(done.output_file_id)] == ["a"]
    assert {one["error"]["code"] for one in desk.file(done.error_file_id)} == {"batch_cancelled"}


async def test_a_batch_that_takes_too_long_expires(desk, clock):
    """What is finished is kept."""

    async def late(word):
        if word == "b":
            clock.ms += DAY_MS
            raise OverLimit("full", retry_after_ms=1)

    await desk.batch([line("a"), line("b")])
    done = await desk.run(Engine(late))
    assert (done.state, done.completed) == ("expired", 1)
    assert [one["error"]["code"] for one in desk.file(done.error_file_id)] == ["batch_expired"]


async def test_a_deleted_input_file_fails_the_batch(desk):
    """It cannot be read."""
    await desk.batch([line("a")])
    gone = dataclasses.replace(desk.now)
    desk.house.blobs.remove(desk.house.store.read_now(lambda tx: find_file(tx, "prj_1", gone.input_file_id, 0)).digest)
    (fault,) = (await desk.run(Engine())).about.errors
    assert fault.code == "invalid_input_file"


async def test_people_go_first(desk):
    """While somebody is being served, no line begins."""
    desk.house.board.serving = 1
    await desk.batch([line("a")])
    engine = Engine()
    stop = asyncio.Event()
    task = asyncio.create_task(run_batches(desk.house, stop, engine))
    while desk.now.state != "in_progress":
        await asyncio.sleep(0.02)
    assert engine.ran == []
    desk.house.board.serving = 0
    while desk.now.state != "completed":
        await asyncio.sleep(0.02)
    stop.set()
    await task


async def test_a_target_is_tried_again_before_a_line_is_given_up(desk):
    """One that fails once is no reason to give up."""
    faults = [TargetFailed("gone")]

    async def once(_word):
        if faults:
            raise faults.pop()

    await desk.batch([line("a")])
    assert (await desk.run(Engine(once))).completed == 1
