"""What was measured of a version, by what was started; on both databases."""

from primeur.registry import rows
from primeur.registry.memory import Seen
from primeur.registry.memory_rows import KEPT_MOST, keep_seen, list_seen


def add(store, number=1):
    """Give the id of a version of the model ``tiny``."""
    version = rows.Version(f"ver_{number}", "mod", number, f"sha256:{number:064x}", "gguf", 1)
    model = rows.Model("mod", "tiny", 1)
    store.transact_now(lambda tx: (rows.keep_model(tx, model), rows.add_version(tx, version)))
    return version.id


def test_each_launch_has_its_own_figure(store):
    """A newer one of exactly the same takes the place of the older, however large."""
    version, first = add(store), Seen("llamacpp", "a", 100, 4, 90)
    for seen in (first, Seen("llamacpp", "b", 8 << 30, 4, None), Seen("openvino", "a", 300)):
        store.transact_now(lambda tx, seen=seen: keep_seen(tx, version, seen, 1))
    more = Seen("llamacpp", "a", 120, 5, 90)
    store.transact_now(lambda tx: keep_seen(tx, version, more, 2))
    found = store.read_now(list_seen)
    assert found[version][0] == more
    assert sorted(one.memory_bytes for one in found[version]) == [120, 300, 8 << 30]


def test_settings_that_nobody_uses_are_forgotten(store):
    """The newest are kept; those of another version are another's."""
    version, other = add(store), add(store, 2)
    store.transact_now(lambda tx: keep_seen(tx, other, Seen("llamacpp", "x", 1), 0))
    for at_ms in range(KEPT_MOST + 3):
        store.transact_now(lambda tx, at_ms=at_ms: keep_seen(tx, version, Seen("llamacpp", str(at_ms), 1), at_ms))
    found = store.read_now(list_seen)
    assert [one.launch for one in found[version]] == [str(n) for n in reversed(range(3, KEPT_MOST + 3))]
    assert len(found[other]) == 1


def test_the_version_knows_the_most_of_all(store):
    """For people; a smaller figure of other settings changes nothing."""
    version = add(store)
    for count in (100, 50, 200):
        store.transact_now(lambda tx, count=count: rows.keep_memory(tx, version, count))
    assert store.read_now(rows.list_versions)[0].memory_bytes == 200
