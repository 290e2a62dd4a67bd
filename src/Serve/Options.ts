/** How a server works: what a user chooses, and bounds that nobody needs to choose. */

export interface ServeOptions {
  readonly models: ReadonlyArray<ModelSource>
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** Images in one run of the device at most; a power of two. */
  readonly maxBatch: number
  /** Milliseconds that an image waits at most for others to share a run with. */
  readonly maxDelay: number
  /** Requests in work at most; beyond them a request is refused with 503. */
  readonly maxWaiting: number
  /** Bytes of a body at most. */
  readonly maxBody: number
  /** Pixels of an image at most, before it is resized. */
  readonly maxPixels: number
  /** Seconds in which a request has to arrive, and then to be answered. */
  readonly timeout: number
  /** Seconds that requests in work are given when the server is told to end. */
  readonly drain: number
  /** A file of bearer tokens; without one, nobody is asked for any. */
  readonly tokens: string | undefined
  /** Look for better weights while serving. */
  readonly watch: boolean
}

/** What is served under a name. */
export interface ModelSource {
  readonly name: string
  readonly version: string
  /** A run's folder, or an ensemble's file. */
  readonly path: string
}

export const DEFAULTS = {
  host: "127.0.0.1",
  port: 8080,
  maxBatch: 32,
  maxDelay: 2,
  maxWaiting: 256,
  maxBody: 16 << 20,
  maxPixels: 64_000_000,
  timeout: 30,
  drain: 30
} as const

/** Images of one request at most. */
export const MOST_IMAGES = 1024

/** Bodies that are kept at the same time at most, in largest bodies. */
export const BODIES = 16

/** Bytes of a request's headers, and how many of them, at most. */
export const MOST_HEADER_BYTES = 16 << 10
export const MOST_HEADERS = 100

/** Connections at most. */
export const MOST_CONNECTIONS = 2048

/** Milliseconds between two looks for better weights. */
export const WATCH_EVERY = 2000
