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

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // libtensorflow is one per process: each test file gets its own process, two at a time.
    pool: "forks",
    maxWorkers: 2,
    // Only what hangs runs out of time: a busy machine takes several times as long as an idle one.
    testTimeout: 300_000,
    hookTimeout: 300_000
  }
})
