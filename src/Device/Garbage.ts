/** JavaScript's garbage collector, when asked for. */
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"

let collect: (() => void) | undefined

/**
 * Collects garbage when the event loop turns next. Tracing a program and its initial state leave hundreds of MB behind,
 * and while TensorFlow runs, JavaScript allocates so little that V8 would not look for them.
 */
export const collectGarbageSoon = (): void => {
  if (collect === undefined) {
    setFlagsFromString("--expose-gc")
    collect = runInNewContext("gc") as () => void
  }
  setImmediate(collect)
}
