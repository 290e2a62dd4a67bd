/**
 * What a program computes from its weights alone, for instance a kernel into which a normalisation is folded. It is the
 * same for all images, and so need not be computed with each batch of them.
 */
import type { Graph } from "../Graph/Graph.ts"
import type { GraphTensor, Insert, Operation } from "../Graph/Types.ts"
import { newVariable } from "../Graph/Variable.ts"

/** What a program is traced from. */
export interface Sources {
  readonly state: Iterable<GraphTensor>
  readonly input: Iterable<GraphTensor>
}

/** Gives what is used in the place of a value, which has a known shape. */
export type Keep = (
  insert: Insert,
  value: GraphTensor & { readonly shape: ReadonlyArray<number> }
) => GraphTensor

/**
 * Runs `f`, which adds operations to the graph. Where one takes a value that was computed from `state` alone, and
 * another that depends on `input`, it is given what `keep` makes of the first, once for each value.
 */
export const keeping = <A>(graph: Graph, { input, state }: Sources, keep: Keep, f: () => A): A => {
  const given = new Set(state)
  const computed = new Set<GraphTensor>()
  const varying = new Set(input)
  const kept = new Map<GraphTensor, GraphTensor>()
  const wrap = (insert: Insert): Insert => {
    const keptOf = (value: GraphTensor): GraphTensor => {
      const { shape } = value
      if (!computed.has(value) || shape === undefined) return value
      const known = kept.get(value) ?? keep(insert, { ...value, shape })
      kept.set(value, known)
      return known
    }
    return (type, inputs, attributes, controls) => {
      const all = inputs.flat()
      const varies = all.some((value) => varying.has(value))
      const used = varies ? inputs.map((one) => ("output" in one ? keptOf(one) : one.map(keptOf))) : inputs
      const operation = insert(type, used, attributes, controls)
      const follows = all.some((value) => given.has(value) || computed.has(value))
      for (const output of operation.outputs) {
        if (varies) varying.add(output)
        else if (follows) computed.add(output)
      }
      return operation
    }
  }
  return graph.inserting(wrap, f)
}

export interface Prepared<A> {
  readonly result: A
  /** The operations that compute the values anew. */
  readonly preparation: ReadonlyArray<Operation>
}

/** As `keeping`, with the values in variables, which are to be computed when the state has changed. */
export const prepared = <A>(graph: Graph, sources: Sources, f: () => A): Prepared<A> => {
  const preparation: Array<Operation> = []
  const keep: Keep = (insert, value) => {
    const name = `${graph.scope}prepared/${preparation.length}`
    const { assign, read } = newVariable(insert, { ...value, name })
    preparation.push(assign(value))
    return read().outputs[0]
  }
  return { result: keeping(graph, sources, keep, f), preparation }
}
