/**
 * What an entry point computes from the state alone, for instance a kernel into which a normalisation is folded. It is
 * the same in every run until the state changes, so that it is computed then, into variables of its own.
 */
import type { Graph, GraphTensor, Operation } from "./Graph.ts"
import { newVariable } from "./Variable.ts"

export interface Prepared<A> {
  readonly result: A
  /** The operations that compute the values anew. */
  readonly preparation: ReadonlyArray<Operation>
}

/**
 * Runs `f`, which adds operations to the graph. Where one takes a value that was computed from `state` alone, and
 * another that depends on `input`, the first is read from a variable.
 */
export const prepared = <A>(
  graph: Graph,
  { input, state }: { readonly input: Iterable<GraphTensor>; readonly state: Iterable<GraphTensor> },
  f: () => A
): Prepared<A> => {
  const given = new Set(state)
  const computed = new Set<GraphTensor>()
  const varying = new Set(input)
  const kept = new Map<GraphTensor, GraphTensor>()
  const preparation: Array<Operation> = []
  const result = graph.inserting((insert) => {
    const keep = (value: GraphTensor): GraphTensor => {
      const { dtype, shape } = value
      if (!computed.has(value) || shape === undefined) return value
      const known = kept.get(value)
      if (known !== undefined) return known
      const { assign, read } = newVariable(insert, {
        name: `${graph.scope}prepared/${kept.size}`,
        dtype,
        shape
      })
      preparation.push(assign(value))
      const next = read().outputs[0]
      kept.set(value, next)
      return next
    }
    return (type, inputs, attributes, controls) => {
      const all = inputs.flat()
      const varies = all.some((value) => varying.has(value))
      const used = varies ? inputs.map((one) => ("output" in one ? keep(one) : one.map(keep))) : inputs
      const operation = insert(type, used, attributes, controls)
      const follows = all.some((value) => given.has(value) || computed.has(value))
      for (const output of operation.outputs) {
        if (varies) varying.add(output)
        else if (follows) computed.add(output)
      }
      return operation
    }
  }, f)
  return { result, preparation }
}
