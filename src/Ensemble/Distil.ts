/** An ensemble as the teacher of one network. */
import * as Effect from "effect/Effect"
import type { EnsembleConfig } from "../Config/Ensemble.ts"
import type { TeacherConfig } from "../Config.ts"
import { EnsembleError } from "./Errors.ts"

/**
 * The members as `train.distillation.teachers`, with their weights. They are asked in the training step itself, about
 * images as they are augmented for the student, so that views and temperature play no part; what is taught is the
 * weighted mean of their probabilities, whatever the rule. Members without weight do not teach.
 *
 * @errors EnsembleError where a member is a soup, whose weights are kept nowhere
 */
export const teachersOf = Effect.fnUntraced(function* ({ members, name }: EnsembleConfig) {
  const teachers: Array<TeacherConfig> = []
  for (const member of members) {
    if ("soup" in member) {
      return yield* new EnsembleError({
        reason: "NotATeacher",
        message: `a soup, as ${name} has one, cannot teach: name runs`
      })
    }
    const { experiment: _, recipe: __, ...teacher } = member
    if (teacher.weight > 0) teachers.push(teacher)
  }
  return teachers
})
