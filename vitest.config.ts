import { defineConfig } from "vitest/config"

// vitest 5 prints a failure with Map.groupBy, which Node 20 does not have.
Map.groupBy ??= <K, T>(items: Iterable<T>, keyOf: (item: T, index: number) => K): Map<K, Array<T>> => {
  const groups = new Map<K, Array<T>>()
  let index = 0
  for (const item of items) {
    const key = keyOf(item, index++)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [item])
    else group.push(item)
  }
  return groups
}

/**
 * What needs a process for each file: large networks and measured times, commands in folders of their own, and the
 * examples, which import the built package (tfjs has room for one copy of it in a process), and the test of a host's own tfjs.
 */
const ALONE = [
  ...["bench", "cli", "package", "train"].map((folder) => `test/${folder}/**/*.test.ts`),
  "test/example.test.ts",
  "test/device/host.test.ts"
]

const EVERYTHING = "test/**/*.test.ts"

export default defineConfig({
  test: {
    // libtensorflow is one per process, and takes a while to load: each of two processes runs many files.
    pool: "forks",
    maxWorkers: 2,
    // Only what hangs runs out of time: a busy machine takes several times as long as an idle one.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    projects: [
      { extends: true, test: { name: "shared", include: [EVERYTHING], exclude: ALONE, isolate: false } },
      { extends: true, test: { name: "alone", include: ALONE } }
    ]
  }
})
