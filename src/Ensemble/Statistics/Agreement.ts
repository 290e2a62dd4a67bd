/** How much the members of an ensemble are alike: what all of them get wrong, none of them can put right. */

/** A 1 for each image that is classified right and a 0 for each that is not. */
export const correctness = (predicted: Uint16Array, labels: ArrayLike<number>): Uint8Array =>
  Uint8Array.from(predicted, (prediction, i) => (prediction === labels[i] ? 1 : 0))

const pairwise = <A, B>(
  members: ReadonlyArray<A>,
  compare: (a: A, b: A) => B
): ReadonlyArray<ReadonlyArray<B>> => members.map((a) => members.map((b) => compare(a, b)))

/** Share of images that two members take for different classes, for each pair of members. */
export const disagreement = (predicted: ReadonlyArray<Uint16Array>): ReadonlyArray<ReadonlyArray<number>> =>
  pairwise(predicted, (a, b) => {
    let different = 0
    for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) different++
    return different / a.length
  })

/**
 * Correlation (φ) of being right between two members, for each pair of members: 1 where they are wrong about the same
 * images, 0 where their mistakes are independent. It is null where one of them is right about all images or none.
 */
export const errorCorrelation = (
  correct: ReadonlyArray<Uint8Array>
): ReadonlyArray<ReadonlyArray<number | null>> =>
  pairwise(correct, (a, b) => {
    const images = a.length
    let [ofA, ofB, ofBoth] = [0, 0, 0]
    for (let i = 0; i < images; i++) {
      ofA += a[i]
      ofB += b[i]
      ofBoth += a[i] * b[i]
    }
    const spread = ofA * (images - ofA) * ofB * (images - ofB)
    return spread === 0 ? null : (images * ofBoth - ofA * ofB) / Math.sqrt(spread)
  })

/** The images, in their order, that every member gets wrong. */
export const allWrong = (correct: ReadonlyArray<Uint8Array>): ReadonlyArray<number> =>
  Array.from(correct[0].keys()).filter((image) => correct.every((member) => member[image] === 0))
