/**
 * What launchers tell the processes that they start, by their conventions in the environment. Each reads its own
 * variables, and says nothing where they are not there.
 */
import { hostsIn } from "./Hostlist.ts"

export type Environment = Readonly<Record<string, string | undefined>>

/** What is known of a replica; each may be missing. */
export interface Told {
  /** What says so, for people. */
  readonly by: string
  readonly rank?: number
  readonly size?: number
  /** Among those on its machine. */
  readonly localRank?: number
  /** Where the first replica listens: `host:port`. */
  readonly coordinator?: string
}

const DIGITS = /^\d+$/

const integer = (text: string | undefined): number | undefined =>
  text !== undefined && DIGITS.test(text) ? Number(text) : undefined

/** Without the keys that are undefined. */
const known = <A extends object>(values: A): { [Key in keyof A]?: NonNullable<A[Key]> } =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [Key in keyof A]?: NonNullable<A[Key]>
  }

/** A port that all processes of a job get from its name, below those that systems give out by themselves. */
const portOf = (job: string): number => {
  let sum = 0
  for (const character of job) sum = (sum * 31 + character.charCodeAt(0)) % 10_000
  return 15_000 + sum
}

/** torchrun, and what does as it does. Where its agent listens on the master's port, the next one is taken. */
const torchrun = (env: Environment): Told | undefined => {
  const { MASTER_ADDR: host, MASTER_PORT, RANK, WORLD_SIZE } = env
  if (RANK === undefined && WORLD_SIZE === undefined) return undefined
  const port = integer(MASTER_PORT)
  const taken = env.TORCHELASTIC_USE_AGENT_STORE === "True" ? 1 : 0
  return {
    by: "RANK and WORLD_SIZE",
    ...known({
      rank: integer(RANK),
      size: integer(WORLD_SIZE),
      localRank: integer(env.LOCAL_RANK),
      coordinator: host && port !== undefined ? `${host}:${port + taken}` : undefined
    })
  }
}

/** Kubeflow's trainer, where each node is one replica. */
const kubeflow = (env: Environment): Told | undefined => {
  const rank = integer(env.PET_NODE_RANK)
  const nodes = integer(env.PET_NNODES)
  if (rank === undefined || nodes === undefined) return undefined
  const { PET_MASTER_ADDR: host, PET_MASTER_PORT: port } = env
  const coordinator = host && port ? `${host}:${port}` : undefined
  return { by: "PET_NODE_RANK and PET_NNODES", rank, size: nodes, localRank: 0, ...known({ coordinator }) }
}

/** A step of Slurm (`srun`); a script's own process is none. */
const slurm = (env: Environment): Told | undefined => {
  const { SLURM_PROCID, SLURM_STEP_NODELIST: nodes } = env
  if (SLURM_PROCID === undefined || nodes === undefined) return undefined
  const [first] = hostsIn(nodes)
  const job = `${env.SLURM_JOB_ID}.${env.SLURM_STEP_ID}`
  return {
    by: "SLURM_PROCID and SLURM_NTASKS",
    ...known({
      rank: integer(SLURM_PROCID),
      size: integer(env.SLURM_STEP_NUM_TASKS ?? env.SLURM_NTASKS),
      localRank: integer(env.SLURM_LOCALID),
      coordinator: first === undefined ? undefined : `${first}:${portOf(job)}`
    })
  }
}

/** Open MPI's `mpirun`, which tells where the first replica is only where all are on one machine. */
const openMpi = (env: Environment): Told | undefined => {
  const { OMPI_COMM_WORLD_RANK: rank, OMPI_COMM_WORLD_SIZE: size } = env
  if (rank === undefined || size === undefined) return undefined
  const job = env.PMIX_NAMESPACE ?? env.OMPI_MCA_ess_base_jobid ?? ""
  const oneMachine = env.OMPI_COMM_WORLD_LOCAL_SIZE === size
  return {
    by: "OMPI_COMM_WORLD_RANK and OMPI_COMM_WORLD_SIZE",
    ...known({
      rank: integer(rank),
      size: integer(size),
      localRank: integer(env.OMPI_COMM_WORLD_LOCAL_RANK),
      coordinator: oneMachine ? `127.0.0.1:${portOf(job)}` : undefined
    })
  }
}

/** A Kubernetes Indexed Job, which tells nothing but a pod's number. */
const kubernetes = (env: Environment): Told | undefined => {
  const rank = integer(env.JOB_COMPLETION_INDEX)
  return rank === undefined ? undefined : { by: "JOB_COMPLETION_INDEX", rank, localRank: 0 }
}

interface TfConfig {
  readonly cluster?: { readonly worker?: ReadonlyArray<string> }
  readonly task?: { readonly type?: string; readonly index?: number }
}

/** TensorFlow's own convention. */
const tfConfig = ({ TF_CONFIG: text }: Environment): Told | undefined => {
  if (text === undefined) return undefined
  const by = "TF_CONFIG"
  try {
    const { cluster, task } = JSON.parse(text) as TfConfig
    const workers = cluster?.worker
    if (!Array.isArray(workers) || task?.type !== "worker") return { by }
    return { by, ...known({ rank: task.index, size: workers.length, coordinator: workers[0] }) }
  } catch {
    return { by }
  }
}

/** Launchers that say something, in the order in which they count. */
export const toldBy = (env: Environment): ReadonlyArray<Told> =>
  [torchrun, kubeflow, slurm, openMpi, kubernetes, tfConfig].flatMap((launcher) => launcher(env) ?? [])
