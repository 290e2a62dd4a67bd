#!/usr/bin/env bash
# Asks a server with others' clients: tritonclient and kserve from PyPI, schemathesis over our OpenAPI, and promtool where
# it is installed. Too heavy for npm test. Run it from the project's folder after npm start:
#   bash test/clients/serving.sh runs/quickstart
# Seen on 2026-11-28: tritonclient 2.73.0 (HTTP; tensors as bytes and as JSON, gzip, classification, 50 requests at a time)
# and kserve 0.21.0 (its second protocol in both forms, its first) get the same numbers; schemathesis 4.32.5 finds nothing
# in 928 cases; promtool 2.42.0 accepts the metrics.
set -euo pipefail
run=${1:-runs/quickstart}
root=$(mktemp -d)
node dist/Main.js serve "$run" --model served="$run" --port 0 --device cpu >"$root/out" 2>"$root/log" &
server=$!
trap 'kill "$server" 2>/dev/null || true; wait "$server" || true; rm -rf "$root"' EXIT
python3 -m venv "$root/python"
"$root/python/bin/pip" install --quiet 'tritonclient[http]==2.73.0' 'kserve==0.21.0'
python3 -m venv "$root/fuzz"
"$root/fuzz/bin/pip" install --quiet 'schemathesis==4.32.5'
until grep -q ready "$root/out"; do
  kill -0 "$server"
  sleep 0.5
done
url=$(grep -o 'http://[^ ]*' "$root/out")
"$root/python/bin/python" test/clients/serving.py "$url" served
# Most texts that fit a schema are no images of the network's size: to refuse those is right.
"$root/fuzz/bin/schemathesis" run "$url/openapi.json" --max-examples 25 --phases examples,coverage,fuzzing \
  --exclude-checks positive_data_acceptance --no-color
if command -v promtool >/dev/null; then
  curl --silent --fail "$url/metrics" | promtool check metrics
  echo "promtool: accepted"
fi
