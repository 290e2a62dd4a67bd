/**
 * Configurations as data: what they are made of, how they are decoded, and how one is laid over another. Neither the
 * device nor a network is loaded for it. A whole experiment is decoded by `Experiment.ts`, which knows what can be named.
 */
export { DataConfig, type DataInput } from "./Config/Data.ts"
export { DecodeError, decodeStrictly } from "./Config/Decode.ts"
export { ConfigError } from "./Config/Errors.ts"
export type { Capabilities, Experiment, ModelChoice } from "./Config/Experiment.ts"
export { atLeast, count, nonNegative, positive, probability, share, withDefault } from "./Config/Fields.ts"
export { configurationDifference, isObject, merge, parseAssignment } from "./Config/Overlay.ts"
export type { Registered } from "./Config/Registered.ts"
export {
  defineSchedule,
  type Position,
  type Schedule,
  ScheduleConfig,
  type ScheduleInput,
  schedules
} from "./Config/Schedule.ts"
export type { ParamGroups, TrainConfig, TrainInput } from "./Config/Train.ts"
export { VIEWS, type ViewConfig, type Views } from "./Config/Views.ts"
export type { RunWeights, TeacherConfig, WeightsName } from "./Config/Weights.ts"
