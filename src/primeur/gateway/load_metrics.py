"""Queues and replicas of deployments, for Prometheus: what is under way now, read when somebody looks."""

from collections.abc import Iterable

from prometheus_client.core import GaugeMetricFamily, Metric

from primeur.core.engine import READY
from primeur.registry.scaling import process_name
from primeur.walks.house import House
from primeur.walks.read_loads import NOTHING, loads_everywhere, queue_of

_LABELS = ["deployment", "revision"]


class LoadCollector:
    """A collector for the process where engines are kept and all processes tell what they have under way.

    A queue is what is beyond the slots that all share, so it cannot be told by each and added up.
    """

    def __init__(self, house: House) -> None:
        """*house*: of that process."""
        self._house = house

    def collect(self) -> Iterable[Metric]:
        """Tell Prometheus."""
        in_flight = GaugeMetricFamily(
            "primeur_deployment_in_flight", "Requests at engines or providers", labels=_LABELS
        )
        queue = GaugeMetricFamily(
            "primeur_deployment_queue", "Requests that wait for a slot or for a revision to wake", labels=_LABELS
        )
        loads = loads_everywhere(self._house)
        for (name, revision_id), slots in self._pairs().items():
            load = loads.get(revision_id, NOTHING)
            in_flight.add_metric([name, revision_id], load.in_flight)
            queue.add_metric([name, revision_id], queue_of(load, slots))
        return in_flight, queue, *self._replicas()

    def _replicas(self) -> Iterable[Metric]:
        wanted = GaugeMetricFamily("primeur_deployment_replicas_wanted", "Replicas that shall run", labels=_LABELS)
        ready = GaugeMetricFamily("primeur_deployment_replicas_ready", "Replicas that serve", labels=_LABELS)
        asleep = GaugeMetricFamily("primeur_deployment_asleep", "1 while it sleeps", labels=_LABELS)
        for one in self._house.board.now.scaled:
            labels = [one.deployment, one.revision_id]
            names = [process_name(one.revision_id, number) for number in range(1, one.replicas + 1)]
            wanted.add_metric(labels, one.replicas)
            ready.add_metric(labels, sum(self._house.host.state(name).phase == READY for name in names))
            asleep.add_metric(labels, one.replicas == 0)
        return wanted, ready, asleep

    def _pairs(self) -> dict[tuple[str, str], int | None]:
        """Each deployment's revisions that answer or sleep, and their slots."""
        now = self._house.board.now
        found = {
            (each.name, target.revision_id): target.slots
            for each in now.deployments.values()
            for target in each.targets
        }
        return found | {(one.deployment, one.revision_id): one.slots for one in now.scaled}
