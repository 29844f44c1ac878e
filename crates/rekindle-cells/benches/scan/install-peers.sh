#!/usr/bin/env bash
# Sets up the peers of the bench `scan` that live in Python, PyTorch and ONNX Runtime, in cargo's build folder.
#
#     crates/rekindle-cells/benches/scan/install-peers.sh [PYTHON]
#
# PYTHON is the interpreter to start from, python3 by default. On Linux the PyTorch of PyPI brings gigabytes of GPU
# libraries along, which the bench does not use; PyTorch's own index has builds without them:
#
#     PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu crates/rekindle-cells/benches/scan/install-peers.sh
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../../.." && pwd)
peers=${CARGO_TARGET_DIR:-$root/target}/peers

"${1:-python3}" -m venv "$peers"
"$peers/bin/python" -m pip install --disable-pip-version-check \
    "torch==2.15.0" "onnxruntime==1.32.*" "onnx==1.23.*" "numpy==2.4.*"
echo "installed in $peers"
