#!/usr/bin/env bash
# Trains a run that tells a real MLflow server, stops it, goes on with it, and asks the server by MLflow's own client. It
# installs MLflow, which is too slow for npm test. From the project's folder once it is built:
#   bash test/clients/mlflow.sh
# Seen on 2026-11-28 with a training of two steps: MLflow 3.5.1 has the run as FINISHED with 32 parameters, two points of
# the steps, one of the epoch and the accuracy on the test images; one that is stopped is KILLED there, and goes on as one run.
set -euo pipefail
root=$(mktemp -d)
server=
trap 'if [ -n "$server" ]; then kill "$server"; fi; rm -rf "$root"' EXIT
python=${MLFLOW_PYTHON:-$root/python/bin/python}
if [ -z "${MLFLOW_PYTHON:-}" ]; then
  python3 -m venv "$root/python"
  "$python" -m pip install --quiet mlflow==3.5.1 "sqlalchemy<2.1"
fi
export MLFLOW_TRACKING_URI=http://127.0.0.1:5917
"$python" -m mlflow server --host 127.0.0.1 --port 5917 --workers 1 --backend-store-uri "sqlite:///$root/mlflow.db" \
  --artifacts-destination "$root/artifacts" >"$root/server.log" 2>&1 &
server=$!
until curl --silent --fail "$MLFLOW_TRACKING_URI/health" >"$root/health"; do sleep 1; done
log="train.log={\"everySteps\":5,\"mlflow\":{\"url\":\"$MLFLOW_TRACKING_URI\"}}"
run="$root/run"
node dist/Main.js train --device cpu --set train.epochs=3 --set model.width=2 --set "$log" --out "$run" 2>"$root/log" &
training=$!
until [ -s "$run/metrics.jsonl" ]; do sleep 0.2; done
kill -INT $training
wait $training || true
"$python" test/clients/read_mlflow.py
node dist/Main.js train --device cpu --resume --out "$run" 2>>"$root/log"
if grep MLflow "$root/log"; then exit 1; fi
"$python" test/clients/read_mlflow.py
