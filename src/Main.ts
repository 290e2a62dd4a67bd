#!/usr/bin/env node
/** The program: signals first, which may come while the rest is loaded, then the command line. */

// What a job scheduler sends before a job's time is over: Node would open its debugger on the one and die of the other.
for (const signal of ["SIGUSR1", "SIGUSR2"]) process.on(signal, () => {})

try {
  await import("./Cli/Program.ts")
} catch (cause) {
  if ((cause as NodeJS.ErrnoException).code !== "EMFILE") throw cause
  // Node's loader has many modules open at once. Nothing of ours is loaded that could tell it.
  console.error("shakedrop: too many open files: raise the limit (`ulimit -n 1024`)")
  process.exitCode = 1
}
