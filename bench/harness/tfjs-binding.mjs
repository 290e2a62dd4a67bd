/**
 * tfjs's binding to TensorFlow's eager C API: each op is one call, at once, as in tfjs-node's own native binding. The
 * project itself records ops into a graph; this is here to measure what that brings.
 */
import { createRequire } from "node:module"
import { TF } from "../../dist/Device/Library/DataType.js"
import { allocateTensor } from "../../dist/Device/Library/Memory.js"
import { BINDING_TYPES } from "../../dist/Device/Trace/Tfjs.js"

const PROTOTYPES = [
  "void* TFE_NewContextOptions()",
  "void* TFE_NewContext(void* options, void* status)",
  "void* TFE_NewTensorHandle(void* tensor, void* status)",
  "void TFE_DeleteTensorHandle(void* handle)",
  "void* TFE_TensorHandleResolve(void* handle, void* status)",
  "int TFE_TensorHandleDataType(void* handle)",
  "int TFE_TensorHandleNumDims(void* handle, void* status)",
  "int64_t TFE_TensorHandleDim(void* handle, int index, void* status)",
  "void* TFE_NewOp(void* context, const char* name, void* status)",
  "void TFE_DeleteOp(void* op)",
  "void TFE_OpAddInput(void* op, void* handle, void* status)",
  "void TFE_OpSetAttrType(void* op, const char* name, int value)",
  "void TFE_OpSetAttrInt(void* op, const char* name, int64_t value)",
  "void TFE_OpSetAttrIntList(void* op, const char* name, const int64_t* values, int count)",
  "void TFE_OpSetAttrFloat(void* op, const char* name, float value)",
  "void TFE_OpSetAttrBool(void* op, const char* name, uint8_t value)",
  "void TFE_OpSetAttrString(void* op, const char* name, const char* value, size_t length)",
  "void TFE_OpSetAttrShape(void* op, const char* name, const int64_t* dims, int rank, void* status)",
  "void TFE_Execute(void* op, _Out_ void** results, _Inout_ int* count, void* status)"
]

/** No op that is used here gives more results. */
const MOST_RESULTS = 8

const bigints = (values) => BigInt64Array.from(values, BigInt)

const SET = {
  type: (c, op, name, value) => c.TFE_OpSetAttrType(op, name, value),
  int: (c, op, name, value) =>
    Array.isArray(value)
      ? c.TFE_OpSetAttrIntList(op, name, bigints(value), value.length)
      : c.TFE_OpSetAttrInt(op, name, value),
  ints: (c, op, name, value) => c.TFE_OpSetAttrIntList(op, name, bigints(value), value.length),
  float: (c, op, name, value) => c.TFE_OpSetAttrFloat(op, name, value),
  bool: (c, op, name, value) => c.TFE_OpSetAttrBool(op, name, value ? 1 : 0),
  string: (c, op, name, value) => c.TFE_OpSetAttrString(op, name, value, Buffer.byteLength(value)),
  shape: (c, op, name, value, status) => c.TFE_OpSetAttrShape(op, name, bigints(value), value.length, status)
}

const ARRAYS = {
  [TF.FLOAT]: Float32Array,
  [TF.INT32]: Int32Array,
  [TF.BOOL]: Uint8Array,
  [TF.UINT8]: Uint8Array
}

/** The binding on a library whose C API is open. */
export const tfjsBinding = (api, file) => {
  const library = createRequire(import.meta.url)("koffi").load(file)
  const c = Object.fromEntries(
    PROTOTYPES.map((prototype) => [/(\w+)\(/.exec(prototype)[1], library.func(prototype)])
  )
  const status = api.TF_NewStatus()
  const checked = (value) => {
    if (api.TF_GetCode(status) !== 0) throw new Error(api.TF_Message(status))
    return value
  }
  const context = checked(c.TFE_NewContext(c.TFE_NewContextOptions(), status))
  const handles = new Map()
  let nextId = 1
  const register = (handle) => {
    handles.set(nextId, handle)
    return nextId++
  }

  const describe = (handle) => ({
    id: register(handle),
    dtype: c.TFE_TensorHandleDataType(handle),
    shape: Array.from({ length: c.TFE_TensorHandleNumDims(handle, status) }, (_, i) =>
      Number(c.TFE_TensorHandleDim(handle, i, status))
    )
  })

  return {
    ...BINDING_TYPES,
    // tfjs passes these back as the type of an attribute.
    TF_ATTR_STRING: "string",
    TF_ATTR_INT: "int",
    TF_ATTR_FLOAT: "float",
    TF_ATTR_BOOL: "bool",
    TF_ATTR_TYPE: "type",
    TF_ATTR_SHAPE: "shape",
    isUsingGpuDevice: () => false,
    getNumOfTensors: () => handles.size,
    createTensor: (shape, dtype, data) => {
      const values = data instanceof ARRAYS[dtype] ? data : ARRAYS[dtype].from(data)
      const tensor = allocateTensor(api, dtype, shape, values)
      const handle = checked(c.TFE_NewTensorHandle(tensor, status))
      api.TF_DeleteTensor(tensor)
      return register(handle)
    },
    deleteTensor: (id) => {
      c.TFE_DeleteTensorHandle(handles.get(id))
      handles.delete(id)
    },
    tensorDataSync: (id) => {
      const handle = handles.get(id)
      const tensor = checked(c.TFE_TensorHandleResolve(handle, status))
      const bytes = new Uint8Array(Number(api.TF_TensorByteSize(tensor)))
      if (bytes.length > 0) api.memcpy(bytes, api.TF_TensorData(tensor), bytes.length)
      api.TF_DeleteTensor(tensor)
      return new ARRAYS[c.TFE_TensorHandleDataType(handle)](bytes.buffer)
    },
    executeOp: (name, attributes, inputIds) => {
      const op = checked(c.TFE_NewOp(context, name, status))
      try {
        for (const { name, type, value } of attributes) SET[type](c, op, name, value, status)
        for (const id of inputIds) c.TFE_OpAddInput(op, handles.get(id), status)
        checked()
        const results = new Array(MOST_RESULTS).fill(null)
        const count = [MOST_RESULTS]
        c.TFE_Execute(op, results, count, status)
        checked()
        return results.slice(0, count[0]).map(describe)
      } finally {
        c.TFE_DeleteOp(op)
      }
    }
  }
}
