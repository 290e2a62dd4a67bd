/**
 * Confining TensorFlow's server to one address. It listens on every interface whatever address it is given, and asks
 * nobody who they are. Between its making and its start its listening socket is found by its port, and the kernel is
 * told to drop what comes for another address (`SO_ATTACH_FILTER`).
 */
import { readdirSync, readFileSync, readlinkSync } from "node:fs"
import { isIPv4 } from "node:net"

/** The state of a listening socket in /proc/net/tcp. */
const LISTENING = "0A"

/** Inodes of the sockets of this process's network that listen on a port. */
const inodesOf = (port: number): ReadonlySet<string> => {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`
  const rows = ["tcp", "tcp6"].flatMap((family) =>
    readFileSync(`/proc/self/net/${family}`, "utf8")
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
  )
  const own = rows.filter(([, local, , state]) => local?.endsWith(suffix) && state === LISTENING)
  return new Set(own.map((columns) => `socket:[${columns[9]}]`))
}

const linkOf = (descriptor: string): string => {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`)
  } catch {
    // It was closed meanwhile.
    return ""
  }
}

/** This process's descriptors of sockets that listen on a port. */
export const listeningOn = (port: number): ReadonlyArray<number> => {
  const inodes = inodesOf(port)
  return readdirSync("/proc/self/fd")
    .filter((descriptor) => inodes.has(linkOf(descriptor)))
    .map(Number)
}

/** The network header of a packet, for loads. */
const NETWORK = 0xfff00000
/** Instructions of classic BPF: load a byte or a word, mask, jump where equal, return. */
const [LOAD_BYTE, LOAD_WORD, AND, JUMP_EQUAL, RETURN] = [0x30, 0x20, 0x54, 0x15, 0x06]
/** Where an IPv4 header has the address that a packet is for. */
const DESTINATION = 16

/** A filter of packets: of version 4 and for that address, or dropped. */
export const onlyFor = (address: string): Uint8Array => {
  const ip = address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0)
  const code: ReadonlyArray<readonly [op: number, yes: number, no: number, value: number]> = [
    [LOAD_BYTE, 0, 0, NETWORK],
    [AND, 0, 0, 0xf0],
    [JUMP_EQUAL, 0, 3, 0x40],
    [LOAD_WORD, 0, 0, NETWORK + DESTINATION],
    [JUMP_EQUAL, 0, 1, ip],
    [RETURN, 0, 0, 0xffffffff],
    [RETURN, 0, 0, 0]
  ]
  const bytes = Buffer.alloc(code.length * 8)
  for (const [i, [op, yes, no, value]] of code.entries()) {
    bytes.writeUInt16LE(op, 8 * i)
    bytes.writeUInt8(yes, 8 * i + 2)
    bytes.writeUInt8(no, 8 * i + 3)
    bytes.writeUInt32LE(value, 8 * i + 4)
  }
  return bytes
}

/** Confines what listens on a port to an address. Gives why not, in a few words, where it cannot be done. */
export const confine = (
  attach: (socket: number, filter: Uint8Array) => boolean,
  port: number,
  address: string
): string | undefined => {
  if (process.platform !== "linux") return `there is no filter for sockets on ${process.platform}`
  if (!isIPv4(address)) return `${address} is not an IPv4 address`
  const sockets = listeningOn(port)
  if (sockets.length === 0) return `no socket listens on port ${port}`
  const filter = onlyFor(address)
  return sockets.every((socket) => attach(socket, filter)) ? undefined : "the kernel refuses the filter"
}
