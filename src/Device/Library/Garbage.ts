/** Memory that a program's construction leaves behind, in JavaScript and in the C library. */
import { Session } from "node:inspector"
import type { CApi } from "./CApi.ts"

/**
 * Collects garbage when the event loop turns next, and gives what is free back to the system. Tracing a program and its
 * initial state leave hundreds of MB behind, and while TensorFlow runs, JavaScript allocates so little that V8 would not
 * look for them. V8's inspector also has the space for new values shrink, which the `gc` of --expose-gc does not.
 */
export const collectGarbageSoon = (api: CApi): void => {
  const collect = () => {
    const session = new Session()
    session.connect()
    session.post("HeapProfiler.collectGarbage", () => {
      api.malloc_trim(0)
      // From within the answer it would wait for itself.
      setImmediate(() => session.disconnect())
    })
  }
  setImmediate(collect)
}
