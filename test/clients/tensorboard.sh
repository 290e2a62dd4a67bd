#!/usr/bin/env bash
# Trains a run with TensorBoard's event files, stops it, goes on with it, and reads the files with TensorBoard's own
# reader. It installs TensorBoard, which is too slow for npm test. From the project's folder once it is built:
#   bash test/clients/tensorboard.sh
# Seen on 2026-11-28: TensorBoard 2.18 reads 84 points of the steps and 3 of the epochs, each step once, the configuration,
# 30 hyperparameters and the end of the session.
set -euo pipefail
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
python3 -m venv "$root/python"
"$root/python/bin/pip" install --quiet tensorboard==2.18.0 "setuptools<80"
log='train.log={"everySteps":5,"tensorboard":{}}'
run="$root/run"
node dist/Main.js train --device cpu --set train.epochs=3 --set model.width=2 --set "$log" --out "$run" 2>"$root/log" &
training=$!
until [ -s "$run/metrics.jsonl" ]; do sleep 0.2; done
kill -INT $training
wait $training || true
node dist/Main.js train --device cpu --resume --out "$run" 2>>"$root/log"
ls "$run/tensorboard"
"$root/python/bin/python" test/clients/read_events.py "$run/tensorboard" "$run/result.json"
