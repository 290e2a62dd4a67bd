/** Why replicas cannot train together. */
import * as Schema from "effect/Schema"

const Reason = Schema.Literals([
  /** What started the process says two things about its rank, or half of it. */
  "Contradiction",
  /** Replicas did not come in time. */
  "Missing",
  /** Replicas are not of one training: their versions, experiments or data differ. */
  "Differs",
  /** A replica does not know the secret, or there is another of its rank. */
  "Refused",
  /** The first replica cannot listen where the others look for it. */
  "Address",
  /** What is asked for does not work with that many replicas. */
  "Unsupported",
  /** A replica is gone, or does not answer. */
  "Lost",
  /** A replica has ended with an error of its own. */
  "Ended"
])

/** Replicas cannot train together; `message` says why in one line. */
export class ReplicaError extends Schema.TaggedError<ReplicaError>()("ReplicaError", {
  reason: Reason,
  message: Schema.String
}) {}
