#!/usr/bin/env bash
# On each of two machines with four GPUs each; NODE is 0 on the one and 1 on the other, HEAD is the address of the first.
# torchrun starts the processes, and starts all of them again when one is lost; --resume goes on where there is a run.
set -euo pipefail
resume=$(test -f runs/wide/config.json && echo --resume || true)
exec torchrun --no-python --nnodes 2 --nproc-per-node 4 --node-rank "$NODE" --master-addr "$HEAD" --master-port 29500 \
  npx shakedrop train --recipe wrn28-10-autoaugment --data-dir data --out runs/wide --device gpu $resume
