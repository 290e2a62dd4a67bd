/** The flags of `shakedrop train` for several replicas. Launchers say the same by the environment. */
import * as Flag from "effect/cli/Flag"
import * as Schema from "effect/Schema"
import { optional, withShownDefault } from "../Shared/Flags.ts"

const from = (minimum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum: 65_536 }))

const seconds = (name: string, description: string, usual: number) =>
  Flag.Int(name).pipe(Flag.withSchema(from(1)), withShownDefault(description, usual))

export const replicaFlags = {
  replicas: Flag.Int("replicas").pipe(
    Flag.withSchema(from(1)),
    withShownDefault("Processes on this machine that share each batch, a device each", 1)
  ),
  restarts: Flag.Int("restarts").pipe(
    Flag.withSchema(from(0)),
    withShownDefault("How often --replicas starts them again from the last checkpoint when one is lost", 0)
  ),
  rank: Flag.Int("rank").pipe(
    Flag.withDescription("This process's number among replicas that something else starts, from 0"),
    Flag.withSchema(from(0)),
    Flag.optional
  ),
  worldSize: Flag.Int("world-size").pipe(
    Flag.withDescription("How many of them there are"),
    Flag.withSchema(from(1)),
    Flag.optional
  ),
  coordinator: optional(Flag.String("coordinator"), "Where replica 0 listens for the others: HOST:PORT"),
  joinTimeout: seconds("join-timeout", "Seconds until all replicas must have come", 300),
  lostAfter: seconds("lost-after", "Seconds without a word after which a replica counts as lost", 15),
  openPort: Flag.Boolean("open-port").pipe(
    Flag.withDescription("Start TensorFlow's server also where every network of this machine can reach it"),
    Flag.withDefault(false)
  )
}
