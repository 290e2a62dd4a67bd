import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // libtensorflow is one per process: each test file gets its own process, two at a time.
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 60_000
  }
})
