"""A deployment on a Ray cluster of two nodes on this machine: it scales with the load and outlives a lost node."""

import threading
from collections.abc import Iterator

import httpx2
import pytest
from tests.e2e.ray_cluster import Cluster, running_cluster, wait_until

pytest.importorskip("ray", reason="needs the extra 'ray'")

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("ray")]

_CALLERS = 8
_BODY = {"model": "far", "messages": [{"role": "user", "content": "hello there [[delay_ms=200]]"}]}


class Crowd:
    """People who ask all the time; remembers what they were told."""

    def __init__(self, url: str, key: str) -> None:
        self._url, self._key = url, key
        self._over = threading.Event()
        self.statuses: list[int] = []
        self._people = [threading.Thread(target=self._ask, daemon=True) for _ in range(_CALLERS)]
        for person in self._people:
            person.start()

    def _ask(self) -> None:
        headers = {"authorization": f"Bearer {self._key}"}
        with httpx2.Client(timeout=60, headers=headers) as client:
            while not self._over.is_set():
                self.statuses.append(client.post(f"{self._url}/v1/chat/completions", json=_BODY).status_code)

    def go_home(self) -> None:
        """Stop asking."""
        self._over.set()
        for person in self._people:
            person.join(60)


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with running_cluster() as made:
        yield made


def test_a_deployment_scales_and_outlives_a_lost_node(cluster: Cluster, house_of_its_own) -> None:
    """One replica, three under load, still no failed request when a node is lost; one again when all is quiet."""
    house_of_its_own.start()
    settings = cluster.settings | {
        "engine": "echo", "min_replicas": 1, "max_replicas": 3, "requests_per_replica": 1, "upscale_delay_s": 0.5,
        "downscale_delay_s": 2, "replica_cpus": 1,
    }  # fmt: skip
    house_of_its_own.manage("PUT", "/deployments/far", {"engine": "ray", "settings": settings})
    wait_until(lambda: house_of_its_own.manage("GET", "/deployments/far")["state"] == "ready", "deployment")
    assert cluster.replicas() == 1
    crowd = Crowd(house_of_its_own.url, house_of_its_own.key)
    wait_until(lambda: cluster.replicas() == 3, "third replica")
    cluster.lose_worker()
    before = len(crowd.statuses)
    wait_until(lambda: len(crowd.statuses) > before + 60, "answers after the loss")
    crowd.go_home()
    assert set(crowd.statuses) == {200}
    wait_until(lambda: cluster.replicas() == 1, "return to one replica")
    house_of_its_own.stop()
