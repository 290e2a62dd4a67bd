#!/usr/bin/env node
/** The program: signals first, which may come while the rest is loaded, then the command line. */

// What a job scheduler sends before a job's time is over: Node would open its debugger on the one and die of the other.
for (const signal of ["SIGUSR1", "SIGUSR2"]) process.on(signal, () => {})

await import("./Cli/Program.ts")
