/** Programs in processes of their own, none of which outlives this one. */
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { atExit } from "./ending.mjs"

/** A file of bench/, by its path from there. */
export const fileOf = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url))

/** The line of a program's error output that says most: the last one that names an error, else the last. */
const reasonIn = (output) => {
  const lines = output.trim().split("\n")
  return (lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1) ?? "").trim().slice(0, 300)
}

/** A program that takes longer than this many minutes, or over one answer, is given up. */
const PATIENCE = 30

/**
 * Starts a program in a process group of its own, so that what it starts ends with it. The `environment` is added to
 * this process's own. `ended` resolves when it ends well, and rejects with one line that says what went wrong;
 * `inTime` waits for a promise of something that the program does, and kills the program where patience ends.
 */
export const launch = (command, args, { environment = {}, stdin = "ignore" } = {}) => {
  const child = spawn(command, args, {
    detached: true,
    env: { ...process.env, ...environment },
    stdio: [stdin, "pipe", "pipe"]
  })
  const kill = () => {
    if (child.pid === undefined) return
    try {
      process.kill(-child.pid, "SIGKILL")
    } catch {
      // None of the group is left.
    }
  }
  const forget = atExit(kill)
  let late = false
  let errors = ""
  child.stderr.on("data", (chunk) => {
    errors += chunk
  })
  child.once("exit", kill)
  const ended = new Promise((resolve, reject) => {
    child.once("error", (error) => reject(new Error(`${command} cannot be started (${error.code})`)))
    child.once("close", (code, signal) => {
      forget()
      if (code === 0) resolve()
      else if (late) reject(new Error(`no answer within ${PATIENCE} minutes`))
      else if (signal === "SIGKILL") reject(new Error("killed, as the system does where memory runs out"))
      else reject(new Error(reasonIn(errors) || `ended with ${signal ?? code}`))
    })
  })
  // One that ends while nothing is asked of it says so at the next question.
  ended.catch(() => {})
  const inTime = async (promise) => {
    const giveUp = () => {
      late = true
      kill()
    }
    const timer = setTimeout(giveUp, PATIENCE * 60_000)
    try {
      return await promise
    } finally {
      clearTimeout(timer)
    }
  }
  return { child, ended, inTime, kill }
}

/** Runs a program to its end and gives what it prints. Rejects with one line that says what went wrong. */
export const run = async (command, args, environment) => {
  const { child, ended, inTime } = launch(command, args, { environment })
  let output = ""
  child.stdout.on("data", (chunk) => {
    output += chunk
  })
  await inTime(ended)
  return output
}

/** Runs a measurement, and gives the JSON of the last line that it prints. */
export const measure = async (...command) => JSON.parse((await run(...command)).trim().split("\n").at(-1))

/** The command and arguments of a program of bench/ in Node, by its path from there and its arguments. */
export const inNode = (name, ...args) => [process.execPath, [fileOf(name), ...args]]

export const runInNode = (...program) => run(...inNode(...program))
export const measureInNode = (...program) => measure(...inNode(...program))
