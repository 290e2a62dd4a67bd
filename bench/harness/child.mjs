/** Measurements in processes of their own. */
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"

/** A file of bench/, by its path from there. */
export const fileOf = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url))

/** The line of a program's error output that says most: the last one that names an error, else the last. */
const reasonIn = (output) => {
  const lines = output.trim().split("\n")
  return (lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1) ?? "").trim().slice(0, 300)
}

/** A measurement that took longer than this many minutes is given up. */
const PATIENCE = 45

/**
 * Runs a program to its end and gives what it prints. Rejects with one line that says what went wrong. The
 * `environment` is added to this process's own.
 */
export const run = (command, args, environment = {}) =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      env: { ...process.env, ...environment },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: PATIENCE * 60_000
    })
    const output = { stdout: "", stderr: "" }
    for (const stream of ["stdout", "stderr"]) {
      child[stream].on("data", (chunk) => {
        output[stream] += chunk
      })
    }
    child.once("error", (error) => reject(new Error(`${command} cannot be started (${error.code})`)))
    child.once("close", (code, signal) => {
      if (code === 0) resolve(output.stdout)
      else if (signal === "SIGTERM") reject(new Error(`no result within ${PATIENCE} minutes`))
      else reject(new Error(reasonIn(output.stderr) || `ended with ${signal ?? code}`))
    })
  })

/** Runs a measurement, and gives the JSON of the last line that it prints. */
export const measure = async (...command) => JSON.parse((await run(...command)).trim().split("\n").at(-1))

const ofNode = ([name, ...args]) => [process.execPath, [fileOf(name), ...args]]

/** A program of bench/ in Node, by its path from there and its arguments. */
export const runInNode = (...program) => run(...ofNode(program))
export const measureInNode = (...program) => measure(...ofNode(program))
