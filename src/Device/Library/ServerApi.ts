/** The part of TensorFlow's C API that joins processes, and the system call that confines a socket. */
import { createRequire } from "node:module"
import type { Pointer } from "./CApi.ts"

type Server = Pointer<"Server">

export interface ServerApi {
  readonly TF_NewServer: (definition: Uint8Array, length: number, status: Pointer<"Status">) => Server
  readonly TF_ServerStart: (server: Server, status: Pointer<"Status">) => void
  readonly TF_ServerTarget: (server: Server) => string
  readonly TF_SetTarget: (options: Pointer<"SessionOptions">, target: string) => void
  /** Lets the kernel drop what a classic BPF program does not accept before it reaches a socket. */
  readonly attachFilter: (socket: number, program: Uint8Array) => boolean
}

const prototypes: ReadonlyArray<string> = [
  "void* TF_NewServer(const uint8_t* definition, size_t length, void* status)",
  "void TF_ServerStart(void* server, void* status)",
  "const char* TF_ServerTarget(void* server)",
  "void TF_SetTarget(void* options, const char* target)"
]

const SOL_SOCKET = 1
const SO_ATTACH_FILTER = 26

/** Bytes of an instruction, and of a `sock_fprog` on 64 bits. */
const INSTRUCTION = 8
const PROGRAM = 16

/** Binds the functions of a library that `openCApi` has loaded. */
export const openServerApi = (path: string): ServerApi => {
  const koffi = createRequire(import.meta.url)("koffi") as typeof import("koffi")
  const library = koffi.load(path)
  const setsockopt = koffi
    .load(null)
    .func("int setsockopt(int socket, int level, int name, const uint8_t* value, uint32_t length)")
  const functions: Record<string, unknown> = {
    attachFilter: (socket: number, instructions: Uint8Array): boolean => {
      const program = Buffer.alloc(PROGRAM)
      program.writeUInt16LE(instructions.length / INSTRUCTION, 0)
      program.writeBigUInt64LE(BigInt(koffi.address(instructions)), INSTRUCTION)
      return setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, program, PROGRAM) === 0
    }
  }
  for (const prototype of prototypes) functions[/(\w+)\(/.exec(prototype)![1]] = library.func(prototype)
  return functions as unknown as ServerApi
}
