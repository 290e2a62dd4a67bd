/** Sharing independent jobs: which of them are this process's, as it says itself or as a job array does. */
import * as Result from "effect/Result"
import type { Environment } from "./Discover/Launchers.ts"
import { ReplicaError } from "./Errors.ts"
import type { Share } from "./Share.ts"

const PART = /^(\d+)\/(\d+)$/

/** Number, first and last number of a job in an array, by what runs it; a last one may be told as a count. */
const ARRAYS: ReadonlyArray<readonly [number: string, first: string | undefined, last: string]> = [
  ["SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_MAX"],
  ["LSB_JOBINDEX", undefined, "LSB_JOBINDEX_END"],
  ["JOB_COMPLETION_INDEX", undefined, "JOB_COMPLETIONS"]
]

const wrong = (message: string) => Result.fail(new ReplicaError({ reason: "Contradiction", message }))

/** A share of a job array; a step within it would leave jobs to nobody. */
const ofArray = (env: Environment): Result.Result<Share, ReplicaError> => {
  for (const [number, first, last] of ARRAYS) {
    if (env[number] === undefined) continue
    if (env[last] === undefined)
      return wrong(`this process is number ${env[number]} by ${number}, but ${last} does not say of how many`)
    const from = number === "JOB_COMPLETION_INDEX" ? 0 : Number((first && env[first]) ?? 1)
    const index = Number(env[number]) - from
    const count = number === "JOB_COMPLETION_INDEX" ? Number(env[last]) : Number(env[last]) - from + 1
    if (Number(env.SLURM_ARRAY_TASK_STEP ?? 1) !== 1)
      return wrong("the numbers of the job array have gaps: SLURM_ARRAY_TASK_STEP is not 1")
    if (index >= 0 && index < count) return Result.succeed({ index, count })
    return wrong(`${number} is ${env[number]}, which is not one of ${count} from ${from}`)
  }
  return wrong(
    `this process is not of a job array: none of ${ARRAYS.map(([name]) => name).join(", ")} is set`
  )
}

/** The share that a text names, `2/5` for the second of five, or `auto` for that of the job array that this process is of. */
export const shareOf = (text: string, env: Environment): Result.Result<Share, ReplicaError> => {
  if (text === "auto") return ofArray(env)
  const [, part, count] = PART.exec(text) ?? []
  if (part === undefined || Number(part) < 1 || Number(part) > Number(count)) {
    return wrong(`${text} is not a share: i/n with i from 1 to n, or auto`)
  }
  return Result.succeed({ index: Number(part) - 1, count: Number(count) })
}
