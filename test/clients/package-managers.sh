#!/usr/bin/env bash
# Installs the packed package with npm, pnpm, yarn and bun, each with its defaults, and trains a step with it.
# Too slow for npm test. Run it from the project's folder once it is built:  bash test/clients/package-managers.sh
# Seen on 2026-11-28: with Node 22.23 all four (npm 10, pnpm 10, yarn 1.22, bun 1.3) install and train. With Node 20.20
# npm and bun do, while yarn refuses because Effect's platform asks for Node 22.19.
set -uo pipefail
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
npm pack --ignore-scripts --pack-destination "$root" >/dev/null 2>&1
archive=$(ls "$root"/*.tgz)
effect=$(node -p 'require("./package.json").devDependencies.effect')
code=0
try() {
  local name=$1
  shift
  local project="$root/$name"
  mkdir "$project"
  echo '{"name":"project","version":"1.0.0","type":"module","private":true}' >"$project/package.json"
  if (cd "$project" && "$@" "$archive" "effect@$effect" >install.log 2>&1 && node node_modules/shakedrop/dist/Main.js train --smoke >train.log 2>&1); then
    echo "$name: installed and trained"
  else
    echo "$name: failed"
    tail -n 5 "$project"/*.log
    code=1
  fi
}
try npm npm install --no-audit --no-fund
try pnpm npx --yes pnpm@10 add
try yarn npx --yes yarn@1.22.22 add
try bun npx --yes bun@1.3 add
exit $code
