"""Databases of every released schema, and of every one between, come to the newest with what is in them."""

import tarfile
from pathlib import Path

import msgspec
import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from primeur.governance import rows as governance
from primeur.metering.rows import list_prices
from primeur.metering.used_rows import spent_since
from primeur.registry.deployment_rows import list_deployments, list_revisions
from primeur.store import migrate as migrations
from primeur.store.database import Store
from primeur.store.dump import DumpHead

SCRIPTS = Path(migrations.__file__).parent / "migrations"
# What the first release wrote; later releases have filled no new table that an upgrade depends on.
ROWS = (
    "insert into organisations (id, name, created_ms) values ('org_1', 'default', 1)",
    (
        "insert into projects (id, organisation_id, name, keeps_prompts, rpm, created_ms)"
        " values ('prj_1', 'org_1', 'default', false, 7, 2)"
    ),
    (
        "insert into members (id, organisation_id, project_id, name, role, created_ms)"
        " values ('mem_1', 'org_1', 'prj_1', 'owner', 'owner', 3)"
    ),
    "insert into deployments (id, name, created_ms) values ('dep_1', 'echo', 5)",
    (
        "insert into revisions (id, deployment_id, number, engine, settings, share, created_ms)"
        " values ('rev_1', 'dep_1', 1, 'echo', '{}', 1, 6)"
    ),
    (
        "insert into prices (id, deployment, currency, input_nanos, cached_nanos, output_nanos, from_ms, created_ms)"
        " values ('price_1', 'echo', 'EUR', 1, 1, 2, 7, 7)"
    ),
    (
        "insert into events (at_ms, kind, actor, data) values (1, 'HouseFounded', 'founder',"
        """ '{"organisation_id":"org_1","project_id":"prj_1"}')"""
    ),
    (
        "insert into events (at_ms, kind, actor, data) values"
        """ (2, 'KeyCreated', 'founder', '{"key_id":"key_1","name":"app"}')"""
    ),
    (
        "insert into requests (id, at_ms, route, outcome, status, project_id, key_id, deployment, revision_id,"
        " provider, input_tokens, cached_tokens, output_tokens, reasoning_tokens, counted_by, cost_nanos, currency,"
        " streamed, duration_us, overhead_us, address) values ('req_1', 50, 'chat', 'completed', 200, 'prj_1', 'key_1',"
        " 'echo', 'rev_1', 'echo', 3, 0, 4, 0, 'target', 11, 'EUR', false, 9, 1, '')"
    ),
)
KEY = (
    "insert into keys (id, project_id, name, digest, hint, role, rpm, deployments, created_ms)"
    " values ('key_1', 'prj_1', 'app', :digest, 'pk_a...z', 'member', 5, :names, 4)"
)


def config_on(connection):
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes["connection"] = connection
    return config


def revisions():
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    return [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()][::-1]


def make_old(url, revision):
    """A database as the release of *revision* left it."""
    engine = create_engine(url)
    with engine.begin() as connection:
        command.upgrade(config_on(connection), "0001")
        for row in ROWS:
            connection.execute(text(row))
        connection.execute(text(KEY), {"digest": b"d" * 32, "names": '["echo"]'})
        command.upgrade(config_on(connection), revision)
    engine.dispose()


@pytest.mark.parametrize("revision", revisions())
def test_an_older_database_comes_up_with_all_that_is_in_it(database_url, tmp_path, revision):
    """Keys, limits, deployments, prices, usage and events; its tables were backed up first."""
    make_old(database_url, revision)
    store = Store(database_url, backups=tmp_path / "backups")
    (key,) = store.read_now(governance.list_keys)
    assert (key.digest, key.limits.rpm, key.deployments) == (b"d" * 32, 5, ("echo",))
    (project,) = store.read_now(governance.list_projects)
    assert (project.name, project.limits.rpm, project.limits.rpd) == ("default", 7, None)
    assert [one.name for one in store.read_now(list_deployments)] == ["echo"]
    assert [one.engine for one in store.read_now(list_revisions)] == ["echo"]
    assert [one.price.output_nanos for one in store.read_now(list_prices)] == [2]
    assert store.read_now(lambda tx: spent_since(tx, "key", "key_1", "EUR", 0)) == 11
    store.close()
    made = list((tmp_path / "backups").glob("*.tar"))
    assert len(made) == (0 if revision == revisions()[-1] else 1)
    for path in made:
        with tarfile.open(path) as tar:
            head = msgspec.json.decode(tar.extractfile("dump.json").read(), type=DumpHead)
        assert head.migration == revision
        assert (head.rows["keys"], head.rows["events"], head.rows["requests"]) == (1, 2, 1)
        assert path.stat().st_mode & 0o777 == 0o600


def test_a_database_of_a_newer_program_is_left_alone(tmp_path):
    """It says what to do, and nothing has changed."""
    url = f"sqlite:///{tmp_path / 'primeur.db'}"
    Store(url).close()
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    with pytest.raises(migrations.SetupError, match="install a newer one"):
        Store(url, backups=tmp_path / "backups")
    assert not (tmp_path / "backups").exists()
    engine.dispose()
