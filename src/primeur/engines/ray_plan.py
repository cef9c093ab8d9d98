"""What a revision may set about Ray, and what is decided from it; travels to the bridge as its one argument. Pure."""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

_Seconds = Annotated[float, msgspec.Meta(ge=0, le=86_400)]


class RaySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a revision may set.

    Attributes:
        engine: what each replica runs; ``vllm`` is run by Ray Serve LLM.
        engine_settings: of that engine.
        address: of the cluster, as ``ray start`` printed it; ``auto`` is the one that runs on this machine.
        proxy: where the cluster's Serve proxy answers.
        min_replicas, max_replicas: Serve adds and takes away replicas between them; a minimum of 0 lets all go.
        requests_per_replica: under way at one replica on average, which Serve aims at.
        upscale_delay_s, downscale_delay_s: how long a need must last.
        drain_s: that a replica may take to finish its requests before it goes.
        replica_cpus, replica_gpus: what Ray sets aside for one replica.
    """

    engine: str = "llamacpp"
    engine_settings: dict[str, Any] = {}
    address: str = "auto"
    proxy: str = "http://127.0.0.1:8000"
    min_replicas: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 1
    max_replicas: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 1
    requests_per_replica: Annotated[float, msgspec.Meta(gt=0, le=10_000)] = 4
    upscale_delay_s: _Seconds = 5
    downscale_delay_s: _Seconds = 60
    drain_s: _Seconds = 300
    replica_cpus: Annotated[float, msgspec.Meta(ge=0, le=1024)] = 1
    replica_gpus: Annotated[float, msgspec.Meta(ge=0, le=1024)] = 0

    def autoscaling(self) -> dict[str, float]:
        """Give the bounds as Serve reads them."""
        return {
            "min_replicas": self.min_replicas,
            "max_replicas": self.max_replicas,
            "target_ongoing_requests": self.requests_per_replica,
            "upscale_delay_s": self.upscale_delay_s,
            "downscale_delay_s": self.downscale_delay_s,
        }


class OwnEngine(msgspec.Struct, frozen=True, tag="own"):
    """Replicas that start an engine of ours, with these arguments, and ask for its health there."""

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    health_path: str


class ServeLlm(msgspec.Struct, frozen=True, tag="llm"):
    """Replicas of Ray Serve LLM.

    Attributes:
        config: of ``ray.serve.llm.LLMConfig``.
        doors: processes that take requests in, spread over the nodes.
    """

    config: dict[str, Any]
    doors: int


class RayPlan(msgspec.Struct, frozen=True):
    """Everything the bridge needs to know, decided.

    Attributes:
        application: its name in Serve, and with a slash its route; the digest in it names the plan.
        family: what the names of all applications of this revision begin with.
    """

    application: str
    family: str
    settings: RaySettings
    work: OwnEngine | ServeLlm
