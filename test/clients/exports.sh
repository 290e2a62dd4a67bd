#!/usr/bin/env bash
# Runs what was exported with others' programs: ONNX's checker and onnxruntime from PyPI, onnxruntime-node and
# transformers.js from npm. Too heavy for npm test. Run it from the project's folder:  bash test/clients/exports.sh
# Seen on 2026-11-28: onnx 1.23.2, onnxruntime 1.32.0 (Python 3.11) and onnxruntime-node 1.30.0 give our logits and
# probabilities to 1e-5 for every architecture, two of them in all three forms of input; the pipeline of transformers.js
# 4.3.2 gives our classes and probabilities to 1e-5, for images of the network's size and larger ones.
set -euo pipefail
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
python3 -m venv "$root/python"
"$root/python/bin/pip" install --quiet onnx onnxruntime numpy
mkdir "$root/node"
echo '{"private":true}' >"$root/node/package.json"
# Without scripts nothing is fetched for CUDA.
(cd "$root/node" && npm install --ignore-scripts --no-audit --no-fund @huggingface/transformers@4.3.2 >/dev/null)
export PATH="$root/python/bin:$PATH" SHAKEDROP_TEST_CLIENTS="$root/node"
npx vitest run test/export --maxWorkers 1
