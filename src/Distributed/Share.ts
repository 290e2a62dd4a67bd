/** How the work of one training is shared among replicas. */

/** The replicas of a training, and which of them this one is, from 0. */
export interface Share {
  readonly index: number
  readonly count: number
}

/**
 * The places of a batch that are a replica's own. Where gradients are accumulated, the batch comes in `parts`, and each
 * part is shared, so that a part is of the same images whatever the number of replicas is.
 */
export const placesOf = ({ count, index }: Share, batchSize: number, parts: number): Uint32Array => {
  const part = batchSize / parts
  const own = part / count
  return Uint32Array.from(
    { length: parts * own },
    (_, i) => Math.floor(i / own) * part + index * own + (i % own)
  )
}

/** Whether the n-th of something that is done once for all is a replica's own. */
export const isOwn = ({ count, index }: Share, n: number): boolean => n % count === index
