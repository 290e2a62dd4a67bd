/** The memory of batches, used again where it is handed back. */
import { arraysOver, type BatchArrays, type BatchSource, batchBytes } from "./MakeBatch.ts"

export interface BatchMemory {
  /** Arrays for a batch, with anything in them. They are the caller's own for as long as they are not handed back. */
  readonly take: () => BatchArrays
  /** Hands a batch's arrays back. Those of others, and those that have been handed back already, are left alone. */
  readonly recycle: (batch: BatchArrays) => void
}

/** Memory for batches of a source, from `allocate` where none has been handed back. */
export const batchMemory = (
  source: BatchSource,
  allocate: (bytes: number) => ArrayBufferLike
): BatchMemory => {
  const lent = new WeakSet<ArrayBufferLike>()
  const free: Array<ArrayBufferLike> = []
  return {
    take: () => {
      const memory = free.pop() ?? allocate(batchBytes(source))
      lent.add(memory)
      return arraysOver(memory, source)
    },
    recycle: ({ images: { buffer } }) => {
      if (lent.delete(buffer)) free.push(buffer)
    }
  }
}
