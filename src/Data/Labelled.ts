/**
 * What every reader of a data set gives: labelled images for training and for testing, not yet split further.
 */
import type { Images } from "./Types.ts"

export interface LabelledImages {
  /** What results on it are called, for instance `CIFAR-10`. */
  readonly name: string
  /** Class names in the order of their labels. */
  readonly classes: ReadonlyArray<string>
  readonly train: { readonly images: Images; readonly labels: Uint16Array }
  /** How many of the training images, the last ones, are for validation, where the data set itself says which. */
  readonly validation?: number
  readonly test: { readonly images: Images; readonly labels: Uint16Array }
}
