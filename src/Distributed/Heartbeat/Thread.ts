/**
 * The thread that keeps a replica's heartbeat, also while its main thread traces a network: the first replica hears all
 * others, and they hear it. A connection that closes without a word is a lost replica, and so is one that says nothing
 * for too long (TensorFlow notices neither a frozen partner nor a dropped route by itself).
 */
import { writeSync } from "node:fs"
import * as net from "node:net"
import { parentPort, workerData } from "node:worker_threads"
import { isSecret } from "../Secret.ts"
import { describeVerdict, type Ending, type Line, type Verdict } from "./Verdict.ts"

export interface HeartbeatData {
  readonly index: number
  /** Of the replicas, for people. */
  readonly addresses: ReadonlyArray<string>
  /** Where the first replica listens, and where the others find it. */
  readonly host: string
  readonly port: number
  readonly secret: string | undefined
  /** Seconds without a word after which a replica is lost. */
  readonly silence: number
  /** Seconds that the main thread has to end by itself once others are lost. */
  readonly grace: number
  /** Steps done, as the main thread counts them. */
  readonly step: Int32Array
}

/** From the main thread: nothing that others do matters any more, or how it ends. */
export type Order =
  | { readonly _tag: "Closing" }
  | { readonly _tag: "End"; readonly ending: Ending; readonly why: string }

/** To the main thread: the others are lost, or know that it ends. */
export type Notice = { readonly _tag: "Verdict"; readonly verdict: Verdict } | { readonly _tag: "Left" }

const data = workerData as HeartbeatData
const { addresses, grace, host, index, port, secret, silence, step } = data

/** Milliseconds. */
const BEAT = Math.min(1000, (1000 * silence) / 5)
/** Between two attempts to reach the first replica. */
const RETRY = 100
/** In which one that ends tries to reach it. */
const LATE = 5000

let closing = false
let over = false

const tell = (notice: Notice): void => parentPort?.postMessage(notice)

/** Tells the main thread, and ends the process where that cannot act: it may hang in TensorFlow. */
const judge = (verdict: Verdict): void => {
  if (over) return
  over = true
  tell({ _tag: "Verdict", verdict })
  setTimeout(() => {
    if (closing) return
    writeSync(2, `shakedrop: ${describeVerdict(verdict, { addresses, silence, step: step[0] })}\n`)
    process.kill(process.pid, "SIGKILL")
  }, 1000 * grace)
}

const send = (socket: net.Socket, line: Line): void => {
  if (!socket.destroyed) socket.write(`${JSON.stringify(line)}\n`)
}

/** Calls back for each line of a socket. */
const onLines = (socket: net.Socket, use: (line: Line) => void): void => {
  let text = ""
  socket.setEncoding("utf8")
  socket.setNoDelay(true)
  socket.on("data", (chunk: string) => {
    const lines = (text + chunk).split("\n")
    text = lines.pop() ?? ""
    try {
      for (const line of lines) use(JSON.parse(line) as Line)
    } catch {
      socket.destroy()
    }
  })
  socket.on("error", () => {})
}

/** Asks regularly who is silent. A process that was frozen itself gives others a new chance: it is told no time then. */
const watch = (isSilent: (now: number) => void): (() => void) => {
  let before = performance.now()
  const timer = setInterval(() => {
    const now = performance.now()
    const slept = now - before > 1000 * silence
    before = now
    isSilent(slept ? Number.NaN : now)
  }, BEAT)
  return () => clearInterval(timer)
}

interface Guest {
  socket: net.Socket | undefined
  heard: number
  /** Whether it has said that it ends. */
  ended: boolean
}

/** The first replica: hears all, and tells all who is lost. */
const hub = (): ((order: Order) => void) => {
  const guests = new Map<number, Guest>()
  for (let i = 1; i < addresses.length; i++) {
    guests.set(i, { socket: undefined, heard: performance.now(), ended: false })
  }
  const announce = (line: Line): void => {
    for (const { socket } of guests.values()) if (socket !== undefined) send(socket, line)
  }
  /** Also for those that come later. */
  let told: Line | undefined
  const lose = (verdict: Verdict): void => {
    if (over) return
    told = { _tag: "Verdict", verdict }
    announce(told)
    judge(verdict)
  }
  const welcome = (socket: net.Socket): void => {
    let who: number | undefined
    const leave = (): void => {
      const guest = who === undefined ? undefined : guests.get(who)
      if (guest?.socket === socket && !guest.ended) lose({ _tag: "Gone", index: who! })
    }
    onLines(socket, (line) => {
      if (line._tag === "Hello") {
        if (!isSecret(secret, `Bearer ${line.secret}`)) socket.destroy()
        if (socket.destroyed) return
        who = line.index
        const guest = guests.get(who)
        if (guest !== undefined) guest.socket = socket
        if (told !== undefined) send(socket, told)
      }
      const guest = who === undefined ? undefined : guests.get(who)
      if (guest === undefined) {
        socket.destroy()
        return
      }
      guest.heard = performance.now()
      if (line._tag === "End") {
        guest.ended = true
        if (line.ending !== "finished") {
          lose({ _tag: "Ended", index: who!, ending: line.ending, why: line.why })
        }
      }
    })
    socket.on("close", leave)
  }
  const server = net.createServer(welcome)
  server.on("error", (cause) => {
    writeSync(2, `shakedrop: replica 0 cannot listen on ${host}:${port}: ${cause.message}\n`)
    judge({ _tag: "Gone", index: 0 })
  })
  server.listen(port, host)
  const stop = watch((now) => {
    announce({ _tag: "Beat" })
    for (const [i, guest] of guests) {
      if (Number.isNaN(now)) guest.heard = performance.now()
      else if (!guest.ended && now - guest.heard > 1000 * silence) lose({ _tag: "Silent", index: i })
    }
  })
  return (order) => {
    if (order._tag === "Closing") return
    announce(order)
    stop()
    over = true
    server.close()
    const sockets = [...guests.values()].flatMap(({ socket }) => socket ?? [])
    let open = sockets.length
    if (open === 0) tell({ _tag: "Left" })
    for (const socket of sockets) socket.end(() => --open === 0 && tell({ _tag: "Left" }))
  }
}

/** Any other replica: hears the first one. */
const guest = (): ((order: Order) => void) => {
  let heard = performance.now()
  let socket: net.Socket | undefined
  /** Whether the first replica has said that it ends, or this one has. */
  let left = false
  let ending = false
  let last: (Order & { readonly _tag: "End" }) | undefined
  const leave = (): void => {
    if (left) return
    left = true
    tell({ _tag: "Left" })
  }
  /** Says how this replica ends; one that is done waits for the first one's own end. */
  const bid = (to: net.Socket, order: Order & { readonly _tag: "End" }): void => {
    to.write(`${JSON.stringify(order satisfies Line)}\n`, () => {
      if (order.ending !== "finished") leave()
    })
  }
  const gone = (): void => {
    if (left) return
    if (ending) leave()
    else judge({ _tag: "Gone", index: 0 })
  }
  const connect = (): void => {
    const made = net.connect(port, host, () => {
      socket = made
      heard = performance.now()
      send(made, { _tag: "Hello", index, secret })
      made.on("close", gone)
      if (last !== undefined) bid(made, last)
    })
    onLines(made, (line) => {
      heard = performance.now()
      if (line._tag === "Verdict" && line.verdict.index !== index) judge(line.verdict)
      if (line._tag === "End") {
        if (line.ending !== "finished" && !ending) judge({ ...line, _tag: "Ended", index: 0 })
        leave()
      }
    })
    made.on("error", () => {
      if (socket === undefined && !left) setTimeout(connect, RETRY)
    })
  }
  connect()
  watch((now) => {
    if (socket !== undefined) send(socket, { _tag: "Beat" })
    if (Number.isNaN(now)) heard = performance.now()
    else if (!left && now - heard > 1000 * silence) {
      if (ending) leave()
      else judge({ _tag: "Silent", index: 0 })
    }
  })
  return (order) => {
    if (order._tag === "Closing") return
    ending = true
    over = true
    last = order
    if (socket !== undefined) bid(socket, order)
    // The first one may be about to listen, or be gone.
    else setTimeout(leave, LATE)
  }
}

const obey = index === 0 ? hub() : guest()
parentPort?.on("message", (order: Order) => {
  if (order._tag === "Closing" || order.ending !== undefined) closing = true
  obey(order)
})
