/** Constants in the place of what a graph computes from constants alone. */
import { type Constant, type Node, tensorValue } from "./GraphDef.ts"

/** An input's node: inputs are `NAME`, `NAME:OUTPUT` or `^NAME`. */
const nodeOf = (input: string): string => input.replace(/^\^/, "").replace(/:\d+$/, "")

/** The nodes that those of the given names depend on, and these, in their order. */
export const needed = (nodes: ReadonlyArray<Node>, names: Iterable<string>): ReadonlyArray<Node> => {
  const byName = new Map(nodes.map((node) => [node.name, node]))
  const found = new Set<string>()
  const open = [...names]
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (found.has(name)) continue
    found.add(name)
    open.push(...(byName.get(name)?.inputs.map(nodeOf) ?? []))
  }
  return nodes.filter(({ name }) => found.has(name))
}

/** Constants in the place of the placeholders of those names. */
export const withConstants = (
  nodes: ReadonlyArray<Node>,
  values: ReadonlyMap<string, Constant>
): ReadonlyArray<Node> =>
  nodes.map((node) => {
    const value = values.get(node.name)
    if (value === undefined) return node
    const attributes = { dtype: node.attributes.dtype, value: tensorValue(value) }
    return { ...node, op: "Const", attributes }
  })
