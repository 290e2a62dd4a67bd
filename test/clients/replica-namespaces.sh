#!/usr/bin/env bash
# Two replicas in two network namespaces, and an outsider in a third: whom TensorFlow's port answers, and what happens
# when the route between the replicas is cut. Takes root. Run it from the project's folder once it is built:
#   bash test/clients/replica-namespaces.sh
# Seen on 2026-11-28: both ports of replica 0 are reached from replica 1's network, and neither is from the third; cut
# off, both replicas ended after 6 s, each naming the other, its address and the step.
set -uo pipefail
main=$PWD/dist/Main.js
work=$(mktemp -d)
lost=6
names=(replica-a replica-b)
cleanup() {
  for job in $(jobs -p); do kill -KILL "$job" 2>/dev/null; done
  for name in "${names[@]}"; do ip netns del "$name" 2>/dev/null; done
  ip link del shk-a 2>/dev/null
  ip link del shk-b 2>/dev/null
  rm -rf "$work"
}
trap cleanup EXIT
# replica-a is 10.77.0.2 and sees 10.77.0.1 (here); the outsider replica-b is 10.78.0.2 and sees 10.78.0.1 (here).
connect() {
  ip netns add "$1"
  ip link add "$2" type veth peer name inside
  ip link set inside netns "$1"
  ip addr add "$3.1/24" dev "$2" && ip link set "$2" up
  ip netns exec "$1" ip addr add "$3.2/24" dev inside
  ip netns exec "$1" ip link set inside up
  ip netns exec "$1" ip link set lo up
}
connect replica-a shk-a 10.77.0
connect replica-b shk-b 10.78.0
cd "$work" || exit 1
flags=(train --world-size 2 --coordinator 10.77.0.1:4100 --join-timeout 60 --lost-after $lost --device cpu
  --set train.epochs=500 --set model.width=4 --set train.saveMinutes=0.05)
node "$main" "${flags[@]}" --rank 0 --out run >first.log 2>&1 &
first=$!
ip netns exec replica-a node "$main" "${flags[@]}" --rank 1 >second.log 2>&1 &
second=$!
for _ in $(seq 120); do
  ls run/checkpoints/step-*.json >/dev/null 2>&1 && break
  sleep 1
done
ports=$(ss -ltnpH | grep "pid=$first," | awk '{ print $4 }' | sed 's/.*://' | sort -u)
knock() { ip netns exec "$1" node -e '
  const socket = require("net").connect(+process.argv[2], process.argv[1])
  socket.on("connect", () => { console.log("reached"); process.exit() }).on("error", (e) => { console.log(e.code); process.exit() })
  setTimeout(() => { console.log("no answer"); process.exit() }, 2000)' "$2" "$3"; }
for port in $ports; do
  echo "port $port of replica 0: from replica 1's network $(knock replica-a 10.77.0.1 "$port"), from another network $(knock replica-b 10.78.0.1 "$port")"
done
start=$SECONDS
ip link set shk-a down
wait $first
echo "cut off: replica 0 ended with $? after $((SECONDS - start)) s: $(tail -n 1 first.log)"
wait $second
echo "cut off: replica 1 ended with $? after $((SECONDS - start)) s: $(tail -n 1 second.log)"
ls run/checkpoints
