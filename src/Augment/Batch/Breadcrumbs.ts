/**
 * What a pipeline is at, noted in shared memory before each operation starts: when a worker thread dies, this says
 * over which image and operation.
 */
import { OPERATIONS } from "../Kernel/Operation.ts"

/** Image, step and operation, each by number; −1 for none. */
export type Trace = Int32Array

export const makeTrace = (): Trace => new Int32Array(new SharedArrayBuffer(12)).fill(-1)

const names: ReadonlyArray<string> = [...OPERATIONS, "Cutout"]
const numbers = new Map(names.map((name, number) => [name, number]))

/** Notes that an image is begun with. */
export const noteImage = (trace: Trace, image: number): void => {
  trace[0] = image
  trace[1] = -1
  trace[2] = -1
}

/** Notes that a step of the pipeline, by its place in it, is begun with. */
export const noteStep = (trace: Trace, step: number): void => {
  trace[1] = step
  trace[2] = -1
}

/** Notes an operation of a policy. */
export const noteOperation = (trace: Trace, operation: string): void => {
  trace[2] = numbers.get(operation) ?? -1
}

/** As `image 12, AutoAugment (Rotate)`; `steps` are the names of the pipeline's steps. */
export const describeTrace = (trace: Trace, steps: ReadonlyArray<string>): string => {
  const [image, step, operation] = trace
  if (image < 0) return "before the first image"
  if (step < 0) return `image ${image}`
  return `image ${image}, ${steps[step]}${operation < 0 ? "" : ` (${names[operation]})`}`
}
