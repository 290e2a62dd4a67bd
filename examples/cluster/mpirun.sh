#!/usr/bin/env bash
# Open MPI does not tell where the first process is, unless all are on one machine: HEAD is the address of its machine.
set -euo pipefail
exec mpirun -np 8 --host "$HEAD:4,$OTHER:4" -x SHAKEDROP_SECRET \
  npx shakedrop train --coordinator "$HEAD:4100" \
  --recipe wrn28-10-autoaugment --data-dir data --out runs/wide --device gpu
