/** Builds a TensorFlow graph: operations, constants, and the shapes that TensorFlow infers for them. */
import { asBytes } from "../../Platform/Bytes.ts"
import { fromStatus, TraceError } from "../Errors.ts"
import type { CApi, Pointer, TFOutput } from "../Library/CApi.ts"
import { TF } from "../Library/DataType.ts"
import { allocateTensor, bigints, type Values } from "../Library/Memory.ts"
import { shape as shapeOf, type } from "./Attributes.ts"
import { autocast } from "./Autocast.ts"
import type { Attribute, GraphTensor, Input, Insert, Operation, Placement, Precision } from "./Types.ts"

/** Bytes up to which constants are small. */
const SMALL = 64

/** Bytes from which they are large. */
const LARGE = 4096

const isUniform = (data: Values): boolean => data.every((value: number | bigint) => Object.is(value, data[0]))

export interface GraphOptions {
  /** Where the graph is to run; on a CPU unless given. */
  readonly placement?: Placement["_tag"]
  /** What its convolutions and products are to compute in; float32 unless given. */
  readonly precision?: Precision
  /**
   * Whether constants take little room (unless given, they do): small ones that are equal are one operation, since they
   * are many and repeat themselves, and a large one of one value is made when the graph runs, since TensorFlow copies a
   * graph many times.
   */
  readonly compact?: boolean
}

export class Graph {
  readonly api: CApi
  readonly pointer: Pointer<"Graph">
  readonly placement: Placement["_tag"]
  readonly precision: Precision
  /** Prefix of the names of the operations that are added, for instance an entry point's name. */
  scope = ""
  private readonly status: Pointer<"Status">
  private count = 0
  private readonly constants: Map<string, GraphTensor> | undefined

  constructor(api: CApi, { placement = "Cpu", precision = "float32", compact = true }: GraphOptions = {}) {
    this.api = api
    this.placement = placement
    this.precision = precision
    this.constants = compact ? new Map() : undefined
    this.pointer = api.TF_NewGraph()
    this.status = api.TF_NewStatus()
  }

  /** Releases the graph. Sessions on it must be closed before. */
  dispose(): void {
    this.api.TF_DeleteGraph(this.pointer)
    this.api.TF_DeleteStatus(this.status)
  }

  /** Number of operations so far. */
  get size(): number {
    return this.count
  }

  /**
   * Adds an operation. `controls` are operations that must have run before it. Throws an `ExecutionError`
   * that names the operation when TensorFlow refuses it.
   */
  add(
    type: string,
    inputs: ReadonlyArray<Input>,
    attributes: ReadonlyArray<Attribute>,
    controls: ReadonlyArray<Pick<Operation, "pointer">> = []
  ): Operation {
    const mixed = this.placement === "Gpu" && this.precision === "bfloat16"
    return mixed
      ? autocast(this.insert, type, inputs, attributes, controls)
      : this.insert(type, inputs, attributes, controls)
  }

  /** Has the operations that `f` adds added by what `wrap` makes of how the graph adds them. */
  inserting<A>(wrap: (insert: Insert) => Insert, f: () => A): A {
    const before = this.insert
    this.insert = wrap(before)
    try {
      return f()
    } finally {
      this.insert = before
    }
  }

  /** As `add`, of exactly these types. */
  private insert: Insert = (type, inputs, attributes, controls) => {
    const { api } = this
    const name = `${this.scope}${type}_${this.count++}`
    const description = api.TF_NewOperation(this.pointer, type, name)
    for (const input of inputs) {
      if ("output" in input) api.TF_AddInput(description, input.output)
      else
        api.TF_AddInputList(
          description,
          input.map((one) => one.output),
          input.length
        )
    }
    for (const control of controls) api.TF_AddControlInput(description, control.pointer)
    for (const attribute of attributes) this.setAttribute(description, attribute)
    return this.finish(description, type, name)
  }

  /** Adds a constant, or gives an equal one that the graph has. */
  constant(dtype: number, shape: ReadonlyArray<number>, data: Values): GraphTensor {
    if (this.constants === undefined) return this.newConstant(dtype, shape, data)
    if (data.byteLength >= LARGE && isUniform(data)) return this.filled(dtype, shape, data.slice(0, 1))
    if (data.byteLength > SMALL) return this.newConstant(dtype, shape, data)
    const key = `${dtype} ${shape.join()} ${asBytes(data).join()}`
    const known = this.constants.get(key)
    if (known !== undefined) return known
    const added = this.newConstant(dtype, shape, data)
    this.constants.set(key, added)
    return added
  }

  private filled(dtype: number, shape: ReadonlyArray<number>, value: Values): GraphTensor {
    const dims = this.constant(TF.INT32, [shape.length], Int32Array.from(shape))
    return this.add("Fill", [dims, this.constant(dtype, [], value)], [type("T", dtype)]).outputs[0]
  }

  private newConstant(dtype: number, shape: ReadonlyArray<number>, data: Values): GraphTensor {
    const { api } = this
    const name = `${this.scope}Const_${this.count++}`
    const description = api.TF_NewOperation(this.pointer, "Const", name)
    const value = allocateTensor(api, dtype, shape, data)
    api.TF_SetAttrType(description, "dtype", dtype)
    api.TF_SetAttrTensor(description, "value", value, this.status)
    api.TF_DeleteTensor(value)
    return this.finish(description, "Const", name).outputs[0]
  }

  placeholder(dtype: number, shape: ReadonlyArray<number>): GraphTensor {
    return this.add("Placeholder", [], [type("dtype", dtype), shapeOf("shape", shape)]).outputs[0]
  }

  private setAttribute(description: Pointer<"OperationDescription">, attribute: Attribute): void {
    const { api } = this
    const { name } = attribute
    switch (attribute.kind) {
      case "type":
        api.TF_SetAttrType(description, name, attribute.value)
        break
      case "int":
        api.TF_SetAttrInt(description, name, attribute.value)
        break
      case "ints":
        api.TF_SetAttrIntList(description, name, bigints(attribute.value), attribute.value.length)
        break
      case "float":
        api.TF_SetAttrFloat(description, name, attribute.value)
        break
      case "bool":
        api.TF_SetAttrBool(description, name, attribute.value ? 1 : 0)
        break
      case "string":
        api.TF_SetAttrString(description, name, attribute.value, Buffer.byteLength(attribute.value))
        break
      case "shape":
        api.TF_SetAttrShape(description, name, bigints(attribute.value), attribute.value.length)
        break
    }
  }

  private finish(description: Pointer<"OperationDescription">, type: string, name: string): Operation {
    const { api, status } = this
    const pointer = api.TF_FinishOperation(description, status)
    if (api.TF_GetCode(status) !== 0) {
      throw new TraceError({
        reason: "Refused",
        op: name,
        message: `cannot build the operation ${type} (${name}): ${api.TF_Message(status).split("\n")[0]}`
      })
    }
    const outputs: Array<GraphTensor> = []
    const count = api.TF_OperationNumOutputs(pointer)
    for (let index = 0; index < count; index++) {
      const output = { oper: pointer, index }
      outputs.push({ output, dtype: api.TF_OperationOutputType(output), shape: this.shapeOf(output, name) })
    }
    return { name, pointer, outputs }
  }

  private shapeOf(output: TFOutput, name: string): ReadonlyArray<number> | undefined {
    const { api, status } = this
    const rank = api.TF_GraphGetTensorNumDims(this.pointer, output, status)
    this.check(`infer the shape of ${name}`)
    if (rank < 0) return undefined
    const dims = new BigInt64Array(rank)
    if (rank > 0) {
      api.TF_GraphGetTensorShape(this.pointer, output, dims, rank, status)
      this.check(`infer the shape of ${name}`)
    }
    const shape = Array.from(dims, Number)
    return shape.includes(-1) ? undefined : shape
  }

  private check(doing: string): void {
    const code = this.api.TF_GetCode(this.status)
    if (code !== 0) throw fromStatus(code, this.api.TF_Message(this.status), doing)
  }
}
