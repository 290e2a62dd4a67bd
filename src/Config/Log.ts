/** Where a training is told of besides its own folder. */
import * as Schema from "effect/Schema"
import { count, withDefault } from "./Fields.ts"

/** The address of a server. */
const address = Schema.String.check(
  Schema.isPattern(/^https?:\/\/[^\s/]+(?:\/\S*)?$/i, { expected: "an address of http or https" })
)

const named = Schema.String.check(Schema.isPattern(/\S/, { expected: "a name" }))

export const LogConfig = Schema.Struct({
  /** Steps from one to the next that is told of; epochs always are. */
  everySteps: count.pipe(withDefault(10)),
  /** Event files for TensorBoard: in the run's folder, or in one of its name in `directory`. */
  tensorboard: Schema.optionalKey(Schema.Struct({ directory: Schema.optionalKey(named) })),
  /** A tracking server of MLflow. */
  mlflow: Schema.optionalKey(
    Schema.Struct({ url: address, experiment: named.pipe(withDefault("shakedrop")) })
  ),
  /** A collector of OpenTelemetry, by OTLP over HTTP: gauges and spans of the training. */
  otlp: Schema.optionalKey(Schema.Struct({ url: address })),
  /** The same gauges at `/metrics`, for Prometheus to fetch while the training runs. */
  prometheus: Schema.optionalKey(
    Schema.Struct({
      host: named.pipe(withDefault("127.0.0.1")),
      port: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 65_535 })).pipe(withDefault(9464))
    })
  )
})
export type LogConfig = typeof LogConfig.Type
