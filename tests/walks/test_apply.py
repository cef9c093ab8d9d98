"""A declared state: the difference, and making it so."""

import hashlib

import pytest

from primeur.broker.book_rows import find_book, load_book
from primeur.core.errors import BadRequest, Conflict, NotFound, NotPermitted
from primeur.governance.rows import list_keys
from primeur.store.database import last_sequence
from primeur.walks.add_model import NewVersion, add_model
from primeur.walks.apply import apply

DOCUMENT = {
    "projects": {"research": {"keeps_prompts": True, "rpm": 100}},
    "providers": {"cloud": {"kind": "paper", "settings": {"url": "https://api.example.org"}}},
    "deployments": {
        "chat": {"engine": "echo", "settings": {"seed": 1}},
        "gpt": {"provider": "cloud", "upstream_model": "gpt-4.1"},
    },
    "aliases": {"latest": "chat"},
    "prices": {"gpt": {"currency": "EUR", "input": "2.50", "output": "10.00"}},
    "keys": {"app": {"project": "research", "rpm": 60, "deployments": ["latest"]}},
}


async def test_what_is_declared_is_made_so(founded, owner):
    """All of it at once; a second time there is nothing to do."""
    applied = await apply(founded, owner, DOCUMENT, dry_run=False)
    assert [(one.noun, one.name, one.verb) for one in applied.changes] == [
        ("projects", "research", "create"), ("providers", "cloud", "create"), ("deployments", "chat", "create"),
        ("deployments", "gpt", "create"), ("aliases", "latest", "create"), ("prices", "gpt", "create"),
        ("keys", "app", "create"),
    ]  # fmt: skip
    assert applied.keys["app"].startswith("pk_")
    assert (await apply(founded, owner, DOCUMENT, dry_run=False)).changes == []


async def test_a_dry_run_changes_nothing(founded, owner):
    """It tells the same difference."""
    before = await founded.store.read(last_sequence)
    assert len((await apply(founded, owner, DOCUMENT, dry_run=True)).changes) == 7
    assert await founded.store.read(last_sequence) == before


async def test_only_what_differs_is_shown_and_changed(founded, owner, clock):
    """With what was there before."""
    await apply(founded, owner, DOCUMENT, dry_run=False)
    clock.ms += 1
    changed = {
        "deployments": {"chat": {"engine": "echo", "settings": {"seed": 2}}},
        "keys": {"app": {"project": "research", "rpm": 10}},
        "projects": {"research": {"rpm": None}},
        "prices": {"gpt": {"currency": "EUR", "input": "2.500", "output": "9"}},
    }
    found = (await apply(founded, owner, changed, dry_run=False)).changes
    assert [(one.name, one.before, one.after) for one in found] == [
        ("research", {"rpm": 100}, {"rpm": None}),
        ("chat", {"settings": {"seed": 1}}, {"settings": {"seed": 2}}),
        ("gpt", {"output": "10"}, {"output": "9"}),
        ("app", {"rpm": 60}, {"rpm": 10}),
    ]
    assert (await apply(founded, owner, changed, dry_run=True)).changes == []


async def test_one_fault_leaves_everything_as_it_was(founded, owner):
    """The good entries before it are not made either."""
    before = await founded.store.read(last_sequence)
    with pytest.raises(BadRequest, match="no engine 'steam'"):
        await apply(founded, owner, DOCUMENT | {"deployments": {"chat": {"engine": "steam"}}}, dry_run=False)
    assert await founded.store.read(last_sequence) == before
    assert [key.name for key in await founded.store.read(list_keys)] == ["default"]


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"deployment": {}}, "deployment"),
        ({"deployments": {"chat": {"engin": "echo"}}}, "deployments.chat.engin"),
        ({"deployments": {"chat": {"version": "one"}}}, "deployments.chat.version"),
        ({"prices": {"gpt": {"currency": "EUR", "input": "1"}}}, "prices.gpt"),
        ({"keys": {"app": {"rpm": 0}}}, "keys.app.rpm"),
        ({"aliases": []}, "aliases"),
    ],
)
async def test_a_mistake_is_told_with_its_path(founded, owner, document, path):
    """So that it is found in the file."""
    with pytest.raises(BadRequest) as caught:
        await apply(founded, owner, document, dry_run=True)
    assert caught.value.param == path
    assert path in caught.value.message


async def test_weights_must_be_sent_before(founded, owner, write_gguf):
    """Then the model is as declared."""
    source = write_gguf()
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    document = {"models": {"tiny": {"sha256": digest}}, "deployments": {"chat": {"model": "tiny"}}}
    with pytest.raises(Conflict, match="weights of 'tiny' are not here"):
        await apply(founded, owner, document, dry_run=False)
    await add_model(founded, owner, NewVersion("tiny"), source)
    applied = await apply(founded, owner, document, dry_run=False)
    assert [one.noun for one in applied.changes] == ["deployments"]


async def test_nobody_declares_what_they_may_not_do(founded, caller_as):
    """An operator deploys, but makes no keys."""
    operator = await caller_as("operator")
    await apply(founded, operator, {"deployments": {"chat": {"engine": "echo"}}}, dry_run=False)
    with pytest.raises(NotPermitted, match="keys:write"):
        await apply(founded, operator, {"keys": {"app": {}}}, dry_run=False)


BOUNDS = {
    "guards": {"chat": {"rules": [{"name": "mail", "action": "mask", "finds": ["email"]}], "images": "refuse"}},
    "limits": {"deployment": {"chat": {"rpm": 600, "tpd": 1_000_000}}, "organisation": {"default": {"concurrency": 9}}},
    "budgets": {
        "project": {"research": {"month": {"limit": "200.00", "soft": "150"}}},
        "deployment": {"chat": {"day": {"limit": "10"}}},
        "key": {"app": {"total": {"limit": "1.5", "currency": "USD"}}},
    },
}


async def test_limits_budgets_and_guards_are_declared_too(founded, owner):
    """A second time there is nothing to do; one figure changed is one change."""
    applied = await apply(founded, owner, DOCUMENT | BOUNDS, dry_run=False)
    assert [(one.noun, one.name) for one in applied.changes if one.noun in BOUNDS] == [
        ("guards", "chat"), ("limits", "deployment/chat"), ("limits", "organisation/default"),
        ("budgets", "project/research/month"), ("budgets", "deployment/chat/day"), ("budgets", "key/app/total"),
    ]  # fmt: skip
    assert (await apply(founded, owner, DOCUMENT | BOUNDS, dry_run=False)).changes == []
    more = {
        "budgets": {"deployment": {"chat": {"day": {"limit": "12.50"}}}},
        "limits": {"deployment": {"chat": {"rpm": 9}}},
    }
    found = (await apply(founded, owner, more, dry_run=False)).changes
    assert [(one.before, one.after) for one in found] == [
        ({"rpm": 600}, {"rpm": 9}), ({"limit": "10"}, {"limit": "12.5"}),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ({"limits": {"deployment": 5}}, "limits.deployment"),
        ({"limits": {"deployment": {"chat": {"rpms": 5}}}}, "limits.deployment.chat.rpms"),
        ({"limits": {"key": {"app": {"rpm": 5}}}}, "scope"),
        ({"budgets": {"project": {"research": {"limit": "5"}}}}, "budgets.project.research.limit"),
        ({"budgets": {"project": {"research": {"week": {"limit": "5"}}}}}, "period"),
        ({"budgets": {"project": {"research": {"month": {"limit": "many"}}}}}, "budgets.project.research.month.limit"),
        ({"guards": {"chat": {"rules": [{"name": "a", "action": "mask"}]}}}, "rules"),
    ],
)
async def test_a_bound_that_is_none_is_named(founded, owner, document, path):
    """With where it is."""
    with pytest.raises(BadRequest) as refused:
        await apply(founded, owner, DOCUMENT | document, dry_run=False)
    assert refused.value.param == path


RIGHT = {"holder": "partner", "response_ms": 60_000, "scope": {"workload_classes": ["chat", "a"], "zones": ["eu"]}}


async def test_rights_are_declared_and_a_change_is_the_next_version(founded, owner):
    """A dry run tells it and grants nothing; what is not said stays; twice is once."""

    async def changes(right, *, dry_run=False):
        return (await apply(founded, owner, {"rights": {"first": right}}, dry_run=dry_run)).changes

    def there():
        book_id = founded.store.transact_now(lambda tx: find_book(tx, "first"))
        return founded.store.transact_now(lambda tx: load_book(tx, book_id))

    assert [one.verb for one in await changes(RIGHT, dry_run=True)] == ["create"]
    with pytest.raises(NotFound):
        there()
    assert [one.verb for one in await changes(RIGHT)] == ["create"]
    assert await changes(RIGHT) == []
    (change,) = await changes(RIGHT | {"response_ms": 1000, "arrangements": {"policy": {"units": 3}}})
    assert (change.verb, change.before["response_ms"], change.after["response_ms"]) == ("change", 60_000, 1000)
    kept = there()
    right = kept.book.right
    assert (right.version, right.state, right.scope.zones) == (2, "active", frozenset({"eu"}))
    assert (right.response_ms, kept.arrangements.policy.units) == (1000, 3)
    assert await changes({"holder": "partner"}) == []


@pytest.mark.parametrize(
    ("more", "path"),
    [
        ({"colour": 1}, "rights.first.colour"),
        ({"scope": {"colours": ["red"]}}, "rights.first.scope.colours"),
        ({"arrangements": {"policy": {"unit": 1}}}, "rights.first.arrangements.policy"),
        ({"mode": "never"}, "rights.first.mode"),
    ],
)
async def test_an_unknown_word_of_a_right_is_named(founded, owner, more, path):
    """With where it is, however deep."""
    with pytest.raises(BadRequest) as refused:
        await apply(founded, owner, {"rights": {"first": RIGHT | more}}, dry_run=True)
    assert refused.value.param.startswith(path)
