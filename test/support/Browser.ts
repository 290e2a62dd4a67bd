/** A real browser, by the protocol of its developer tools: Chromium, where it is installed. */
import { spawn } from "node:child_process"
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import * as Effect from "effect/Effect"
import { WebSocket } from "undici"

const NAMES = ["chromium", "chromium-browser", "google-chrome", "chrome"]

/** The path of Chromium; undefined where there is none. */
export const CHROMIUM: string | undefined = [
  ...(process.env.CHROMIUM === undefined ? [] : [process.env.CHROMIUM]),
  ...(process.env.PATH ?? "")
    .split(path.delimiter)
    .flatMap((folder) => NAMES.map((name) => path.join(folder, name)))
].find((file) => existsSync(file))

interface Reply {
  readonly id?: number
  readonly method?: string
  readonly params?: unknown
  readonly result?: unknown
  readonly error?: { readonly message: string }
}

export interface Tab {
  readonly open: (address: string) => Promise<void>
  /** What an expression is in the page, as JSON; promises are awaited. */
  readonly evaluate: (expression: string) => Promise<unknown>
  /** Waits until an expression is true in the page. */
  readonly until: (expression: string) => Promise<void>
  readonly press: (key: "Tab" | "Enter" | " ") => Promise<void>
  readonly type: (text: string) => Promise<void>
  readonly look: (width: number, scheme: "light" | "dark") => Promise<void>
  readonly screenshot: (file: string) => Promise<void>
  /** What went wrong in the page: exceptions, and what the browser has refused. */
  readonly problems: ReadonlyArray<string>
}

const KEYS = { Tab: ["Tab", 9, ""], Enter: ["Enter", 13, "\r"], " ": ["Space", 32, " "] } as const

/** How often something is looked for, 30 ms or more apart. */
const TRIES = 600

const start = async (chromium: string, profile: string) => {
  const child = spawn(
    chromium,
    [
      "--headless=new",
      "--no-sandbox",
      "--disable-gpu",
      "--remote-debugging-port=0",
      `--user-data-dir=${profile}`
    ],
    { stdio: ["ignore", "ignore", "pipe"] }
  )
  const address = await new Promise<string>((resolve, reject) => {
    let text = ""
    child.once("error", reject)
    child.once("exit", () => reject(new Error(`the browser has ended: ${text}`)))
    child.stderr.on("data", (chunk) => {
      text += chunk
      const found = /listening on (ws:\S+)/.exec(text)
      if (found !== null) resolve(found[1])
    })
  })
  const socket = new WebSocket(address)
  await new Promise((resolve) => socket.addEventListener("open", resolve, { once: true }))
  return { child, socket }
}

const tabOf = async (socket: WebSocket): Promise<Tab> => {
  let last = 0
  let sessionId: string | undefined
  const waiting = new Map<number, (reply: Reply) => void>()
  const problems: Array<string> = []
  socket.addEventListener("message", ({ data }) => {
    const reply = JSON.parse(String(data)) as Reply
    if (reply.id !== undefined) waiting.get(reply.id)?.(reply)
    else if (reply.method === "Runtime.exceptionThrown" || reply.method === "Log.entryAdded") {
      problems.push(JSON.stringify(reply.params))
    }
  })
  const send = (method: string, params: object = {}) =>
    new Promise<unknown>((resolve, reject) => {
      const id = ++last
      waiting.set(id, ({ error, result }) => {
        waiting.delete(id)
        if (error === undefined) resolve(result)
        else reject(new Error(`${method}: ${error.message}`))
      })
      socket.send(JSON.stringify({ id, method, params, ...(sessionId !== undefined && { sessionId }) }))
    })
  const { targetId } = (await send("Target.createTarget", { url: "about:blank" })) as {
    readonly targetId: string
  }
  const attached = await send("Target.attachToTarget", { targetId, flatten: true })
  sessionId = (attached as { readonly sessionId: string }).sessionId
  for (const domain of ["Page", "Runtime", "Log"]) await send(`${domain}.enable`)

  const evaluate = async (expression: string): Promise<unknown> => {
    const { exceptionDetails, result } = (await send("Runtime.evaluate", {
      ...{ expression, awaitPromise: true, returnByValue: true }
    })) as { readonly exceptionDetails?: unknown; readonly result: { readonly value?: unknown } }
    if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails))
    return result.value
  }
  const until = async (expression: string): Promise<void> => {
    for (let tries = 0; (await evaluate(expression)) !== true; tries++) {
      if (tries === TRIES) throw new Error(`${expression} is not so; ${JSON.stringify(problems)}`)
      await new Promise((resolve) => setTimeout(resolve, 30))
    }
  }
  return {
    problems,
    evaluate,
    until,
    open: async (address) => {
      await send("Page.navigate", { url: address })
      await until(`location.href === ${JSON.stringify(address)} && document.readyState === "complete"`)
    },
    press: async (key) => {
      const [code, windowsVirtualKeyCode, text] = KEYS[key]
      const event = { key, code, windowsVirtualKeyCode, ...(text !== "" && { text }) }
      await send("Input.dispatchKeyEvent", { type: "keyDown", ...event })
      await send("Input.dispatchKeyEvent", { type: "keyUp", ...event })
    },
    type: async (text) => {
      await send("Input.insertText", { text })
    },
    look: async (width, scheme) => {
      await send("Emulation.setDeviceMetricsOverride", {
        ...{ width, height: 900, deviceScaleFactor: 1, mobile: width < 600 }
      })
      await send("Emulation.setEmulatedMedia", {
        features: [{ name: "prefers-color-scheme", value: scheme }]
      })
    },
    screenshot: async (file) => {
      const picture = await send("Page.captureScreenshot", { captureBeyondViewport: true })
      writeFileSync(file, Buffer.from((picture as { readonly data: string }).data, "base64"))
    }
  }
}

/** A tab of a new browser, which ends with the scope. */
export const browserTab = (chromium: string) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.promise(async () => {
        const profile = mkdtempSync(path.join(tmpdir(), "shakedrop-browser-"))
        const { child, socket } = await start(chromium, profile)
        return { child, socket, profile, tab: await tabOf(socket) }
      }),
      ({ child, profile, socket }) =>
        Effect.promise(async () => {
          const ended = new Promise((resolve) => child.once("exit", resolve))
          socket.close()
          child.kill()
          await ended
          rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
        })
    ),
    ({ tab }) => tab
  )
