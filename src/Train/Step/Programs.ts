/** Programs that are used again: runs that differ in nothing but their seed need one compilation. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import type { CompileOptions } from "./Entries.ts"
import { compileTraining, type TrainingProgram } from "./TrainingProgram.ts"

/** How a run gets its program: it compiles one that ends with its scope, unless `keptPrograms` are provided. */
export const Programs: Context.Reference<{ readonly compile: typeof compileTraining }> = Context.Reference(
  "shakedrop/Programs",
  { defaultValue: () => ({ compile: compileTraining }) }
)

/** Everything that a program depends on but its seed and the weights that it starts from. */
const describe = ({ images, network, precision, replicas, teachers, train }: CompileOptions): string =>
  JSON.stringify([
    ...[images, precision, train, replicas, teachers.map(({ sha256 }) => sha256)],
    ...[network.name, network.tensors.map(({ name, role, shape }) => [name, role, shape])]
  ])

/** Programs that last as long as the scope. One that is asked for again begins at the start of the run that asks. */
export const keptPrograms: Effect.Effect<typeof Programs.Service, never, Scope.Scope> = Effect.map(
  Effect.scope,
  (scope) => {
    const kept = new Map<string, TrainingProgram>()
    return {
      compile: Effect.fnUntraced(function* (device, options) {
        const key = describe(options)
        const before = kept.get(key)
        if (before !== undefined) {
          yield* before.restart(options)
          return before
        }
        const program = yield* Scope.provide(compileTraining(device, options), scope)
        kept.set(key, program)
        return program
      })
    }
  }
)
