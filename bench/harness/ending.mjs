/** What has to be undone however this process ends, but for SIGKILL. */

const pending = new Set()

process.on("exit", () => {
  for (const undo of [...pending].reverse()) undo()
})
for (const [signal, number] of Object.entries({ SIGHUP: 1, SIGINT: 2, SIGTERM: 15 })) {
  process.once(signal, () => process.exit(128 + number))
}

/** Has `undo` called, the latest first, when this process ends. Gives a function that takes that back. */
export const atExit = (undo) => {
  pending.add(undo)
  return () => pending.delete(undo)
}
