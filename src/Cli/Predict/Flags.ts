/** The flags of `shakedrop predict`. */
import * as Argument from "effect/cli/Argument"
import type * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { checkpointFlag } from "../Shared/Checkpoints.ts"
import { deviceFlag, optional } from "../Shared/Flags.ts"
import { writtenTo } from "../Shared/Paths.ts"
import { fullFlag, topFlag } from "../Shared/Predictions.ts"

export const flags = {
  run: Argument.String("run").pipe(Argument.withDescription("The run's folder"), Argument.optional),
  images: Argument.String("images").pipe(
    Argument.withDescription("Image files, and folders whose images are all taken"),
    Argument.variadic()
  ),
  top: topFlag,
  full: fullFlag,
  checkpoint: checkpointFlag,
  model: optional(
    Flag.String("model"),
    "A model as JSON, for tensors instead of images (`shakedrop models --json` shows some)"
  ),
  weights: optional(Flag.String("weights"), "Its weights: safetensors with PyTorch's names"),
  input: optional(Flag.String("input"), "safetensors with the normalised images: input, float32 [N,3,H,W]"),
  out: writtenTo("out", "file").pipe(
    Flag.withDescription("Where the logits are written: safetensors with logits, float32 [N,classes]"),
    Flag.optional
  ),
  device: deviceFlag
}

export type PredictInput = Command.Command.Config.Infer<typeof flags>
