/** The entry points of averages that are updated at the end of epochs. */
import { entryPoint } from "../../Device.ts"
import type { Network } from "../../Model/Network.ts"
import { meanOverReplicas } from "../../Ops/Collective.ts"
import type { AfterEpoch, Average } from "../Averages/Define.ts"
import { moveMean } from "../Averages/Swa.ts"
import { type Images, INTEGER, keyAt, NUMBER, normalise, pixels } from "./EntryPoints.ts"
import { keyOf, type StepReplicas } from "./Replicas.ts"

/** Takes the network's weights into an average: `share` is 1/n for the n-th. */
export const averagingEntry = (network: Network, { update }: AfterEpoch) =>
  entryPoint({
    inputs: { share: NUMBER },
    run: (state, { share }) => ({ state: update(network, state, share), output: {} })
  })

/**
 * Takes a batch into the batch statistics of averaged weights: `share` is 1/n for the n-th batch, so that each counts
 * the same (`torch.optim.swa_utils.update_bn`). What training draws is drawn here too.
 */
export const statisticsEntry = (
  network: Network,
  images: Images,
  { keptAs }: Pick<Average, "keptAs">,
  replicas?: StepReplicas
) =>
  entryPoint({
    inputs: { images: pixels(images), share: NUMBER, batch: INTEGER },
    collective: replicas !== undefined,
    run: (state, input) => {
      const weights = Object.fromEntries(network.tensors.map(({ name }) => [name, state[keptAs(name)]]))
      const key = keyOf(keyAt(state, input.batch), replicas)
      const { statistics: own } = network.apply(weights, normalise(input.images, images), {
        _tag: "Training",
        key,
        momentum: 1,
        synchronised: replicas?.synchronised ? replicas : undefined
      })
      const statistics = replicas === undefined ? own : meanOverReplicas(own, replicas)
      return {
        state: Object.fromEntries(
          Object.entries(statistics).map(([name, value]) => [
            keptAs(name),
            moveMean(state[keptAs(name)], value, input.share)
          ])
        ),
        output: {}
      }
    }
  })
