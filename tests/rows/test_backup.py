"""A house comes back from its backup, on either database, whatever was going on when it was made."""

import stat
import tarfile

import pytest

from primeur.core.caller import Limits
from primeur.core.errors import SetupError
from primeur.core.events import ProjectCreated
from primeur.core.usage import Usage, UsageEvent
from primeur.governance import rows as governance
from primeur.metering import rows as metering
from primeur.store.backup import make_backup, restore_backup
from primeur.store.database import Store, last_sequence, tell


def fill(tx):
    governance.add_organisation(tx, governance.Organisation("org_1", "défaut", 1))
    governance.add_project(
        tx, governance.Project("prj_1", "org_1", "default", keeps_prompts=True, limits=Limits(rpm=5), created_ms=2)
    )
    governance.add_key(
        tx, governance.Key("key_1", "prj_1", "app", bytes(range(32)), "pk_a...z", "member", Limits(), 4, ("echo",), 99)
    )
    tell(tx, ProjectCreated("prj_1", "default"), actor="founder", at_ms=1)
    event = UsageEvent("req_1", 50, "chat", "completed", 200, "prj_1", "key_1", "echo", usage=Usage(3, 0, 4))
    metering.keep_usage(tx, [event], metering.Cursor("usage", 3, 4096))


@pytest.fixture
def folder(tmp_path):
    """A data folder with what a house keeps, and what it does not."""
    made = tmp_path / "data"
    for name in (
        "secret",
        "audit.key",
        "store/ab/cd",
        "weights/x.gguf",
        "journal/0000000003.journal",
        "journal/w1/lock",
    ):
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_bytes(name.encode())
    for name in ("engines/owner.lock", "logs/a.log", "service.json", "backups/old.tar"):
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_bytes(b"not kept")
    return made


@pytest.mark.parametrize("into", ["sqlite", "the same"])
def test_everything_comes_back(  # noqa: PLR0917 (fixtures)
    store, database_url, second_url, folder, tmp_path, into
):
    """Rows as they were, on the other database too; journals are read again; only this user may read the backup."""
    store.transact_now(fill)
    file = tmp_path / "house.tar"
    head = make_backup(database_url, folder, file, program="1")
    assert (head.rows["keys"], head.rows["requests"]) == (1, 1)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = [store.read_now(read) for read in (governance.list_keys, governance.list_projects, last_sequence)]
    url = f"sqlite:///{tmp_path / 'new.db'}" if into == "sqlite" else second_url
    restore_backup(file, url, tmp_path / "new")
    restored = Store(url)
    assert [
        restored.read_now(read) for read in (governance.list_keys, governance.list_projects, last_sequence)
    ] == before
    assert restored.read_now(lambda tx: metering.find_cursor(tx, "usage")).offset == 0
    restored.transact_now(lambda tx: tell(tx, ProjectCreated("p", "n"), actor="a", at_ms=2))
    assert restored.read_now(last_sequence) == before[2] + 1
    restored.close()
    kept = {str(path.relative_to(tmp_path / "new")) for path in (tmp_path / "new").rglob("*") if path.is_file()}
    assert kept == {"secret", "audit.key", "store/ab/cd", "weights/x.gguf", "journal/0000000003.journal"}
    assert (tmp_path / "new" / "secret").read_bytes() == b"secret"


def test_a_backup_is_never_written_over(store, database_url, folder, tmp_path):
    """Nor is a half of one left behind."""
    store.transact_now(fill)
    make_backup(database_url, folder, tmp_path / "house.tar", program="1", weights=False)
    with tarfile.open(tmp_path / "house.tar") as tar:
        assert not [name for name in tar.getnames() if "weights" in name]
    with pytest.raises(SetupError, match="is there already"):
        make_backup(database_url, folder, tmp_path / "house.tar", program="1")
    assert not list(tmp_path.glob("*.part"))


def test_what_is_no_backup_or_no_empty_place_is_refused(store, database_url, folder, tmp_path):
    """In one line, and nothing is touched."""
    store.transact_now(fill)
    make_backup(database_url, folder, tmp_path / "house.tar", program="1")
    with pytest.raises(SetupError, match="is not empty; restore into a new folder"):
        restore_backup(tmp_path / "house.tar", f"sqlite:///{tmp_path / 'x.db'}", folder)
    with pytest.raises(SetupError, match="is not empty; restore into a new one"):
        restore_backup(tmp_path / "house.tar", database_url, tmp_path / "new")
    (tmp_path / "nonsense").write_bytes(b"nonsense")
    with pytest.raises(SetupError, match="cannot be restored"):
        restore_backup(tmp_path / "nonsense", f"sqlite:///{tmp_path / 'x.db'}", tmp_path / "other")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("files/../../out", tarfile.REGTYPE),
        ("files//etc/out", tarfile.REGTYPE),
        ("files/link", tarfile.SYMTYPE),
        ("files/hard", tarfile.LNKTYPE),
        ("files/pipe", tarfile.FIFOTYPE),
        ("files/", tarfile.REGTYPE),
    ],
)
def test_a_backup_that_would_write_elsewhere_is_refused(store, database_url, folder, tmp_path, name, kind):  # noqa: PLR0917
    """Only plain files below the new folder come out of one, whatever somebody added to it."""
    store.transact_now(fill)
    make_backup(database_url, folder, tmp_path / "house.tar", program="1")
    with tarfile.open(tmp_path / "house.tar", "a") as tar:
        entry = tarfile.TarInfo(name)
        entry.type, entry.linkname = kind, "/etc/passwd"
        tar.addfile(entry)
    with pytest.raises(SetupError, match="which is no plain file below a data folder"):
        restore_backup(tmp_path / "house.tar", f"sqlite:///{tmp_path / 'x.db'}", tmp_path / "new")
    assert not (tmp_path / "out").exists()
