/** Finding a replica's place from flags and from what launchers say in the environment. */
import { assert, it } from "@effect/vitest"
import * as Result from "effect/Result"
import { hostsIn } from "../../src/Distributed/Discover/Hostlist.ts"
import { type Asked, discover, shareOf } from "../../src/Distributed.ts"

const found = (env: Record<string, string>, flags: Asked = {}) => {
  const result = discover(flags, env)
  return Result.isSuccess(result) ? result.success : result.failure.message
}

const FLAGS: Asked = { rank: 1, worldSize: 4, coordinator: "10.0.0.1:4000" }
const at = (host: string, port: number) => ({ host, port })

const PLACES: ReadonlyArray<
  readonly [name: string, env: Record<string, string>, flags: Asked, expected: unknown]
> = [
  ["nothing", { PATH: "/bin" }, {}, undefined],
  ["flags", {}, FLAGS, { index: 1, count: 4, localIndex: 1, coordinator: at("10.0.0.1", 4000) }],
  ["one process alone", { RANK: "0", WORLD_SIZE: "1", MASTER_ADDR: "h", MASTER_PORT: "1" }, {}, undefined],
  [
    "torchrun",
    { RANK: "5", WORLD_SIZE: "8", LOCAL_RANK: "1", MASTER_ADDR: "node0", MASTER_PORT: "29500" },
    {},
    { index: 5, count: 8, localIndex: 1, coordinator: at("node0", 29_500) }
  ],
  [
    "torchrun whose agent has the port, one for each node of a Slurm job",
    {
      ...{ RANK: "5", WORLD_SIZE: "8", LOCAL_RANK: "1", MASTER_ADDR: "node0", MASTER_PORT: "29500" },
      ...{ TORCHELASTIC_USE_AGENT_STORE: "True", TORCHELASTIC_RUN_ID: "1" },
      ...{ SLURM_PROCID: "1", SLURM_NTASKS: "2", SLURM_STEP_NODELIST: "node[0-1]" }
    },
    {},
    { index: 5, count: 8, localIndex: 1, coordinator: at("node0", 29_501) }
  ],
  [
    "Kubeflow",
    {
      PET_NNODES: "2",
      PET_NPROC_PER_NODE: "1",
      PET_NODE_RANK: "1",
      PET_MASTER_ADDR: "a",
      PET_MASTER_PORT: "29400"
    },
    {},
    { index: 1, count: 2, localIndex: 0, coordinator: at("a", 29_400) }
  ],
  ["a script of Slurm that is no step", { SLURM_PROCID: "0", SLURM_NTASKS: "4" }, {}, undefined],
  [
    "an Indexed Job with flags",
    { JOB_COMPLETION_INDEX: "2" },
    { worldSize: 4, coordinator: "train-0.train:4000" },
    { index: 2, count: 4, localIndex: 0, coordinator: at("train-0.train", 4000) }
  ],
  ["an Indexed Job of single trainings", { JOB_COMPLETION_INDEX: "2" }, {}, undefined],
  [
    "TF_CONFIG",
    {
      TF_CONFIG: JSON.stringify({ cluster: { worker: ["a:1", "b:2"] }, task: { type: "worker", index: 1 } })
    },
    {},
    { index: 1, count: 2, localIndex: 1, coordinator: at("a", 1) }
  ],
  [
    "flags and a launcher that differ",
    { RANK: "0", WORLD_SIZE: "4", MASTER_ADDR: "h", MASTER_PORT: "1" },
    FLAGS,
    "the rank of this process is 1 by the flags, but 0 by RANK and WORLD_SIZE"
  ],
  [
    "two launchers that differ",
    {
      ...{ RANK: "0", WORLD_SIZE: "2", MASTER_ADDR: "h", MASTER_PORT: "1" },
      ...{ SLURM_PROCID: "0", SLURM_NTASKS: "4", SLURM_STEP_NODELIST: "n1" }
    },
    {},
    "the number of replicas of this process is 2 by RANK and WORLD_SIZE, but 4 by SLURM_PROCID and SLURM_NTASKS"
  ],
  [
    "half of it",
    { WORLD_SIZE: "2" },
    {},
    "this process is a replica by RANK and WORLD_SIZE, but nothing says its rank"
  ],
  [
    "a rank that is too high",
    {},
    { rank: 4, worldSize: 4, coordinator: "h:1" },
    "this process has the rank 4 of 4 replicas by the flags: ranks are 0 to 3"
  ],
  [
    "no meeting place",
    { OMPI_COMM_WORLD_RANK: "0", OMPI_COMM_WORLD_SIZE: "2", OMPI_COMM_WORLD_LOCAL_SIZE: "1" },
    {},
    "this process is replica 0 of 2 by OMPI_COMM_WORLD_RANK and OMPI_COMM_WORLD_SIZE, but nothing says where the first one listens"
  ],
  ["no port", {}, { ...FLAGS, coordinator: "h" }, "h is not the address of a replica: HOST:PORT"],
  [
    "a broken TF_CONFIG",
    { TF_CONFIG: "{" },
    {},
    "this process is a replica by TF_CONFIG, but nothing says its rank"
  ]
]

for (const [name, env, flags, expected] of PLACES) {
  it(`a place is found: ${name}`, () => assert.deepStrictEqual(found(env, flags), expected as never))
}

it("processes of one job meet at one port, those of another elsewhere", () => {
  const slurm = (rank: number, job: string) =>
    found({
      ...{ SLURM_PROCID: `${rank}`, SLURM_NTASKS: "4", SLURM_LOCALID: `${rank % 2}`, SLURM_JOB_ID: job },
      ...{ SLURM_STEP_ID: "0", SLURM_STEP_NODELIST: "gpu[03-04]" }
    })
  const [one, two, other] = [slurm(0, "77"), slurm(3, "77"), slurm(0, "78")]
  assert(typeof one === "object" && typeof two === "object" && typeof other === "object")
  assert.deepStrictEqual(one.coordinator, two.coordinator)
  assert.strictEqual(one.coordinator.host, "gpu03")
  assert.notStrictEqual(one.coordinator.port, other.coordinator.port)
  assert.deepStrictEqual([two.index, two.count, two.localIndex], [3, 4, 1])
  const mpi = (rank: number) =>
    found({
      ...{
        OMPI_COMM_WORLD_RANK: `${rank}`,
        OMPI_COMM_WORLD_SIZE: "2",
        OMPI_COMM_WORLD_LOCAL_RANK: `${rank}`
      },
      ...{ OMPI_COMM_WORLD_LOCAL_SIZE: "2", PMIX_NAMESPACE: "prterun-host-1@1" },
      // What the batch script's own process is told comes along.
      ...{ SLURM_PROCID: "0", SLURM_NTASKS: "8", SLURM_STEP_NODELIST: "n1" }
    })
  const [first, second] = [mpi(0), mpi(1)]
  assert(typeof first === "object" && typeof second === "object")
  assert.deepStrictEqual(first.coordinator, second.coordinator)
  assert.deepStrictEqual([second.index, second.count], [1, 2])
})

it("Slurm's lists of hosts are expanded", () => {
  assert.deepStrictEqual(hostsIn("login"), ["login"])
  assert.deepStrictEqual(hostsIn("n[8-10,12],m[01-02]-ib,x"), [
    "n8",
    "n9",
    "n10",
    "n12",
    "m01-ib",
    "m02-ib",
    "x"
  ])
})

it("a share of jobs is that which is named, or that of a job array", () => {
  const share = (text: string, env: Record<string, string> = {}) => {
    const result = shareOf(text, env)
    return Result.isSuccess(result) ? result.success : result.failure.message
  }
  assert.deepStrictEqual(share("2/5"), { index: 1, count: 5 })
  for (const text of ["0/2", "3/2", "1", "1/0", "a/b"]) {
    assert.strictEqual(share(text), `${text} is not a share: i/n with i from 1 to n, or auto`)
  }
  const slurm = { SLURM_ARRAY_TASK_ID: "3", SLURM_ARRAY_TASK_MIN: "0", SLURM_ARRAY_TASK_MAX: "3" }
  assert.deepStrictEqual(share("auto", slurm), { index: 3, count: 4 })
  assert.deepStrictEqual(share("auto", { LSB_JOBINDEX: "1", LSB_JOBINDEX_END: "2" }), { index: 0, count: 2 })
  assert.deepStrictEqual(share("auto", { JOB_COMPLETION_INDEX: "1", JOB_COMPLETIONS: "2" }), {
    index: 1,
    count: 2
  })
  assert.match(String(share("auto", { ...slurm, SLURM_ARRAY_TASK_STEP: "2" })), /have gaps/)
  assert.match(String(share("auto", { JOB_COMPLETION_INDEX: "1" })), /JOB_COMPLETIONS does not say/)
  assert.match(String(share("auto")), /^this process is not of a job array/)
})
