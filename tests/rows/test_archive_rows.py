"""Files, uploads, responses, conversations and batches on both databases."""

import dataclasses

import msgspec
import pytest

from primeur.archive import batch_rows, conversation_rows, file_rows, response_rows, upload_rows
from primeur.archive.batch_rows import Batch, Details, LineRow
from primeur.archive.conversation_rows import Conversation
from primeur.archive.file_rows import KeptFile
from primeur.archive.response_rows import KeptResponse
from primeur.archive.rules import Page
from primeur.archive.upload_rows import Part, Upload
from primeur.core.caller import Limits
from primeur.core.errors import BadRequest, Conflict, NotFound
from primeur.governance import rows as governance

DIGEST = "sha256:" + "a" * 64
FILE = KeptFile("file_1", "prj_1", "a.txt", "user_data", 3, DIGEST, None, 10)
UPLOAD = Upload("upload_1", "prj_1", "pending", "b.bin", "batch", "text/plain", 6, 3600, None, 100, 10)
BATCH = Batch(
    "batch_1",
    "prj_1",
    "key_1",
    "validating",
    "/v1/embeddings",
    "file_1",
    None,
    None,
    0,
    0,
    0,
    "{}",
    "{}",
    99,
    None,
    None,
    1,
)


@pytest.fixture
def rows(store):
    """A store with a project that things can belong to."""

    def found(tx):
        governance.add_organisation(tx, governance.Organisation("org_1", "default", 1))
        for project_id in ("prj_1", "prj_2"):
            project = governance.Project(
                project_id, "org_1", project_id, keeps_prompts=False, limits=Limits(), created_ms=2
            )
            governance.add_project(tx, project)

    store.transact_now(found)
    return store


# --- files --------------------------------------------------------------------------------------------------------


def test_a_file_comes_back_for_its_project_until_its_time_is_over(rows):
    """Nobody else sees it, and nobody sees it afterwards."""
    mortal = dataclasses.replace(FILE, id="file_2", expires_ms=50)
    rows.transact_now(lambda tx: [file_rows.insert_file(tx, file) for file in (FILE, mortal)])
    assert rows.read_now(lambda tx: file_rows.find_file(tx, "prj_1", "file_2", 49)) == mortal
    for project_id, file_id, now_ms in (("prj_2", "file_1", 1), ("prj_1", "file_2", 50), ("prj_1", "file_3", 1)):
        with pytest.raises(NotFound, match=file_id):
            rows.read_now(lambda tx, p=project_id, f=file_id, n=now_ms: file_rows.find_file(tx, p, f, n))
    assert rows.read_now(lambda tx: file_rows.expired_files(tx, 50, 9)) == [mortal]


def test_files_are_listed_in_pages_in_both_directions(rows):
    """One more than asked says that there are more."""
    files = [dataclasses.replace(FILE, id=f"file_{n}", purpose="batch" if n % 2 else "vision") for n in range(5)]
    rows.transact_now(lambda tx: [file_rows.insert_file(tx, file) for file in files])

    def ids(page, purpose=None):
        return [file.id[-1] for file in rows.read_now(lambda tx: file_rows.list_files(tx, "prj_1", purpose, page, 1))]

    assert ids(Page(2)) == ["4", "3", "2"]
    assert ids(Page(2, after="file_3")) == ["2", "1", "0"]
    assert ids(Page(9, newest_first=False, after="file_2")) == ["3", "4"]
    assert ids(Page(9), "batch") == ["3", "1"]
    assert rows.read_now(lambda tx: file_rows.kept_bytes(tx, "prj_1")) == 15


def test_a_blob_is_needed_while_a_file_or_a_part_has_it(rows):
    """Whichever goes last."""

    def needed():
        def ask(tx):
            file_rows.lock_digest(tx, DIGEST)
            return file_rows.is_needed(tx, DIGEST)

        return rows.transact_now(ask)

    assert not needed()
    rows.transact_now(lambda tx: file_rows.insert_file(tx, FILE))
    rows.transact_now(lambda tx: upload_rows.insert_upload(tx, UPLOAD))
    rows.transact_now(lambda tx: upload_rows.insert_part(tx, Part("part_1", "upload_1", 3, DIGEST, 10)))
    rows.transact_now(lambda tx: file_rows.delete_file(tx, "file_1"))
    assert needed()
    assert rows.transact_now(lambda tx: upload_rows.delete_parts(tx, "upload_1")) == [DIGEST]
    assert not needed()


# --- uploads ------------------------------------------------------------------------------------------------------


def test_parts_come_back_in_the_order_asked_for(rows):
    """A part of another upload is none of this one."""
    rows.transact_now(lambda tx: upload_rows.insert_upload(tx, UPLOAD))
    parts = [Part(f"part_{n}", "upload_1", 3, DIGEST, 10) for n in (1, 2)]
    rows.transact_now(lambda tx: [upload_rows.insert_part(tx, part) for part in parts])
    assert rows.read_now(lambda tx: upload_rows.find_parts(tx, "upload_1", ["part_2", "part_1"])) == parts[::-1]
    with pytest.raises(BadRequest, match="no part 'part_3'") as caught:
        rows.read_now(lambda tx: upload_rows.find_parts(tx, "upload_1", ["part_1", "part_3"]))
    assert caught.value.param == "part_ids[1]"


def test_of_two_that_end_an_upload_one_is_told_so(rows):
    """Compare and set: the second finds it changed."""
    rows.transact_now(lambda tx: upload_rows.insert_upload(tx, UPLOAD))
    assert rows.read_now(lambda tx: upload_rows.overdue_uploads(tx, 100, 9)) == [UPLOAD]
    assert rows.transact_now(lambda tx: upload_rows.move_upload(tx, UPLOAD, "complete", "file_1")) == "completed"
    with pytest.raises(Conflict, match="changed by somebody else"):
        rows.transact_now(lambda tx: upload_rows.move_upload(tx, UPLOAD, "cancel"))
    found = rows.read_now(lambda tx: upload_rows.find_upload(tx, "prj_1", "upload_1"))
    assert (found.state, found.file_id) == ("completed", "file_1")
    with pytest.raises(NotFound):
        rows.read_now(lambda tx: upload_rows.find_upload(tx, "prj_2", "upload_1"))


# --- responses ----------------------------------------------------------------------------------------------------


def keep(*responses):
    """A transaction that remembers responses."""

    def work(tx):
        for one in responses:
            response_rows.insert_response(tx, one, [item["id"] for item in (*one.inputs, *one.outputs)])

    return work


def kept(number, previous=None):
    def item(name):
        return {"id": f"{name}_{number}", "type": "message"}

    body = {"id": f"resp_{number}", "output": [item("out")]}
    return KeptResponse(
        f"resp_{number}",
        "prj_1",
        previous and f"resp_{previous}",
        None,
        "completed",
        msgspec.json.encode([item("in")]).decode(),
        msgspec.json.encode(body).decode(),
        number,
    )


def test_a_chain_is_read_from_its_beginning(rows):
    """Input and output of each, and the first one's id."""
    rows.transact_now(keep(kept(1), kept(2, 1), kept(3, 2)))
    items, first = rows.read_now(lambda tx: response_rows.read_chain(tx, "prj_1", "resp_3"))
    assert [item["id"] for item in items] == ["in_1", "out_1", "in_2", "out_2", "in_3", "out_3"]
    assert first == "resp_1"
    rows.transact_now(lambda tx: response_rows.delete_response(tx, "resp_1"))
    with pytest.raises(BadRequest, match="resp_1") as caught:
        rows.read_now(lambda tx: response_rows.read_chain(tx, "prj_1", "resp_3"))
    assert (caught.value.code, caught.value.param) == ("previous_response_not_found", "previous_response_id")


def test_items_are_found_by_id_in_responses_and_conversations(rows):
    """Of this project only."""
    rows.transact_now(keep(kept(1)))
    conversation = Conversation("conv_1", "prj_1", "{}", 5)
    rows.transact_now(lambda tx: conversation_rows.insert_conversation(tx, conversation))
    rows.transact_now(lambda tx: conversation_rows.append_items(tx, "conv_1", [{"id": "msg_9"}], 5))
    wanted = ["in_1", "out_1", "msg_9", "msg_0"]
    found = rows.read_now(lambda tx: response_rows.find_items(tx, "prj_1", wanted))
    assert sorted(found) == ["in_1", "msg_9", "out_1"]
    assert rows.read_now(lambda tx: response_rows.find_items(tx, "prj_2", wanted)) == {}
    assert rows.read_now(lambda tx: response_rows.find_items(tx, "prj_1", [])) == {}


# --- conversations ------------------------------------------------------------------------------------------------


def test_items_stay_in_the_order_they_came_in(rows):
    """Listed from either end; taking one out leaves the others."""
    rows.transact_now(lambda tx: conversation_rows.insert_conversation(tx, Conversation("conv_1", "prj_1", "{}", 5)))
    items = [{"id": f"msg_{n}"} for n in (3, 1, 2)]
    rows.transact_now(lambda tx: conversation_rows.append_items(tx, "conv_1", items, 5))

    def listed(page):
        return [item["id"][-1] for item in rows.read_now(lambda tx: conversation_rows.list_items(tx, "conv_1", page))]

    assert rows.read_now(lambda tx: conversation_rows.read_items_of(tx, "conv_1")) == items
    assert listed(Page(9)) == ["2", "1", "3"]
    assert listed(Page(1, newest_first=False, after="msg_3")) == ["1", "2"]
    rows.transact_now(lambda tx: conversation_rows.delete_item(tx, "conv_1", "msg_1"))
    assert listed(Page(9)) == ["2", "3"]
    with pytest.raises(NotFound, match="msg_1"):
        rows.read_now(lambda tx: conversation_rows.find_item(tx, "conv_1", "msg_1"))
    with pytest.raises(BadRequest, match="no item 'msg_1'"):
        listed(Page(9, after="msg_1"))


def test_a_conversation_has_each_item_once(rows):
    """And goes with all its items."""
    rows.transact_now(lambda tx: conversation_rows.insert_conversation(tx, Conversation("conv_1", "prj_1", "{}", 5)))
    rows.transact_now(lambda tx: conversation_rows.append_items(tx, "conv_1", [{"id": "msg_1"}], 5))
    for items in ([{"id": "msg_1"}], [{"id": "msg_2"}, {"id": "msg_2"}]):
        with pytest.raises(BadRequest, match="already"):
            rows.transact_now(lambda tx, items=items: conversation_rows.append_items(tx, "conv_1", items, 5))
    rows.transact_now(lambda tx: conversation_rows.annotate_conversation(tx, "conv_1", '{"a":"b"}'))
    assert rows.read_now(lambda tx: conversation_rows.find_conversation(tx, "prj_1", "conv_1")).metadata == {"a": "b"}
    rows.transact_now(lambda tx: conversation_rows.delete_conversation(tx, "conv_1"))
    assert rows.read_now(lambda tx: conversation_rows.read_items_of(tx, "conv_1")) == []


# --- batches ------------------------------------------------------------------------------------------------------


def test_a_batch_moves_by_compare_and_set_and_notes_when(rows):
    """The second to move it is told."""
    rows.transact_now(lambda tx: batch_rows.insert_batch(tx, BATCH))
    moved = rows.transact_now(lambda tx: batch_rows.move_batch(tx, BATCH, "begin", 7, total=3))
    assert (moved.state, moved.total, moved.reached_ms, moved.about) == (
        "in_progress",
        3,
        {"in_progress": 7},
        Details(),
    )
    with pytest.raises(Conflict, match="moved by somebody else"):
        rows.transact_now(lambda tx: batch_rows.move_batch(tx, BATCH, "begin", 8))
    assert rows.read_now(lambda tx: batch_rows.count_unfinished(tx, "prj_1")) == 1
    assert rows.read_now(lambda tx: batch_rows.list_batches(tx, "prj_1", Page(5))) == [moved]
    with pytest.raises(NotFound):
        rows.read_now(lambda tx: batch_rows.find_batch(tx, "prj_2", "batch_1"))


def test_one_process_at_a_time_works_on_a_batch(rows):
    """A claim ends by itself, so a dead process holds nothing."""
    rows.transact_now(lambda tx: batch_rows.insert_batch(tx, BATCH))

    def due(now_ms):
        return rows.read_now(lambda tx: batch_rows.due_batches(tx, now_ms, 5))

    assert due(1) == [BATCH]
    assert rows.transact_now(lambda tx: batch_rows.claim_batch(tx, BATCH, "one", 10))
    assert not rows.transact_now(lambda tx: batch_rows.claim_batch(tx, BATCH, "two", 10))
    assert rows.transact_now(lambda tx: batch_rows.renew_claims(tx, "one", ["batch_1"], 20)) == {
        "batch_1": "validating"
    }
    assert due(19) == []
    (lapsed,) = due(20)
    assert rows.transact_now(lambda tx: batch_rows.claim_batch(tx, lapsed, "two", 30))
    assert rows.transact_now(lambda tx: batch_rows.renew_claims(tx, "one", ["batch_1"], 40)) == {}
    rows.transact_now(lambda tx: batch_rows.release_batch(tx, "two", "batch_1"))
    assert len(due(21)) == 1


def test_a_line_is_answered_once(rows):
    """The first answer stands and is counted; a line with an answer keeps its request id."""
    rows.transact_now(lambda tx: batch_rows.insert_batch(tx, BATCH))
    lines = [LineRow(n, f"c{n}", f"req_{n}") for n in (1, 2, 5)]
    rows.transact_now(lambda tx: batch_rows.add_lines(tx, "batch_1", lines))
    for status, answer in ((200, "first"), (500, "second")):
        rows.transact_now(lambda tx, s=status, a=answer: batch_rows.answer_line(tx, "batch_1", 2, s, a))
    rows.transact_now(lambda tx: batch_rows.answer_line(tx, "batch_1", 5, 400, "bad"))
    rows.transact_now(lambda tx: batch_rows.rename_lines(tx, "batch_1", {1: "req_9", 2: "req_8"}))
    assert rows.read_now(lambda tx: batch_rows.open_lines(tx, "batch_1")) == {1: "req_9"}
    assert rows.read_now(lambda tx: batch_rows.read_lines(tx, "batch_1", 1, 5)) == [
        LineRow(2, "c2", "req_2", 200, "first"),
        LineRow(5, "c5", "req_5", 400, "bad"),
    ]
    batch = rows.read_now(lambda tx: batch_rows.find_batch(tx, "prj_1", "batch_1"))
    assert (batch.completed, batch.failed) == (1, 1)
    rows.transact_now(lambda tx: batch_rows.delete_lines(tx, "batch_1"))
    assert rows.read_now(lambda tx: batch_rows.open_lines(tx, "batch_1")) == {}
