"""What puts a Ray Serve LLM application up; runs as a task in the cluster, where ``ray.serve.llm`` and vLLM are.

It travels there by value, so that the nodes need nothing of ours.
"""

import hmac
from typing import Annotated, Any


def put_up(config: dict[str, Any], doors: int, name: str, key: str) -> str:
    """Deploy *config* as application *name*, whose requests must carry *key*; gives why not, or nothing."""
    try:
        from fastapi import Depends, Header, HTTPException  # noqa: PLC0415
        from ray import serve  # noqa: PLC0415
        from ray.llm._internal.serve.core.configs.openai_api_models import to_model_metadata  # noqa: PLC0415
        from ray.serve.llm import LLMConfig, build_llm_deployment  # noqa: PLC0415
        from ray.serve.llm.ingress import OpenAiIngress, make_fastapi_ingress  # noqa: PLC0415
    except ImportError as error:
        return f"its nodes have no Ray Serve LLM ({error}); install ray[serve,llm] and vLLM on each"

    def check(authorization: Annotated[str, Header()] = "") -> None:
        if not hmac.compare_digest(authorization.removeprefix("Bearer ").encode(), key.encode()):
            raise HTTPException(401, "wrong key")

    # The cluster's proxy is open to its network, so nothing is answered there without the key.
    paths = {"chat": "/v1/chat/completions", "completions": "/v1/completions", "embeddings": "/v1/embeddings"}
    routes = {
        method: lambda app, path=path: app.post(path, dependencies=[Depends(check)]) for method, path in paths.items()
    }
    model = LLMConfig(**config)
    options = OpenAiIngress.get_deployment_options([model])
    options["autoscaling_config"] |= {"max_replicas": doors}
    options["autoscaling_config"].setdefault("min_replicas", doors)
    door = serve.deployment(make_fastapi_ingress(OpenAiIngress, endpoint_map=routes), **options)
    bound = door.options(ray_actor_options={"num_cpus": 0}).bind(
        llm_deployments={model.model_id: build_llm_deployment(model)},
        model_cards={model.model_id: to_model_metadata(model.model_id, model)},
    )
    try:
        serve.run(bound, name=name, route_prefix=f"/{name}")
    except RuntimeError as error:
        return " ".join(str(error).split())
    return ""
