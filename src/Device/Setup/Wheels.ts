/**
 * Which of the official wheels hold libtensorflow and, for a GPU, the CUDA 12 libraries that its metadata names.
 * Each is pinned by its hash, so that every machine computes with the same bytes.
 */
import * as Effect from "effect/Effect"
import type { LibraryError } from "../Errors.ts"
import { buildFor, noBuild, type Platform } from "./Platform.ts"

export interface Wheel {
  readonly name: string
  readonly version: string
  /** The platform tag in the wheel's name that pip is to look for. */
  readonly platform: string
  readonly sha256: string
  readonly bytes: number
  /** Bytes of those of its files that are `wanted`. */
  readonly unpacked: number
}

/** The version of libtensorflow that is set up. */
export const VERSION = "2.21.0"

/**
 * The files that are taken out of a wheel: libtensorflow itself, NVIDIA's libraries, and what XLA compiles
 * kernels with. They keep their places, because the libraries look for one another by them
 * (`$ORIGIN/../nvidia/cudnn/lib`) and XLA looks for `../nvidia/cuda_nvcc`.
 */
export const wanted = (name: string): boolean =>
  /^(tensorflow\/libtensorflow_(cc|framework)\.(so\.2|2\.dylib)|nvidia\/\w+\/lib\/[^/]+\.so(\.[^/]+)?|nvidia\/cuda_nvcc\/(bin\/ptxas|nvvm\/libdevice\/libdevice\.10\.bc))$/.test(
    name
  )

const cpuX64: Wheel = {
  name: "tensorflow-cpu",
  version: VERSION,
  platform: "manylinux_2_27_x86_64",
  sha256: "dcc8afd32930e42d5296b6ee19078b773706830af4ea97fbe503b9f5e0f820cb",
  bytes: 274_000_871,
  unpacked: 853_308_936
}

const cpuArm64: Wheel = {
  name: "tensorflow",
  version: VERSION,
  platform: "manylinux_2_27_aarch64",
  sha256: "b07d15737406533898e36c7ef7944b1be18e9028dc521b9229952c537bbc5552",
  bytes: 281_946_471,
  unpacked: 883_062_208
}

const cpuMacArm64: Wheel = {
  name: "tensorflow",
  version: VERSION,
  platform: "macosx_12_0_arm64",
  sha256: "56ecd7d47429acbe1df2694d50b75bf9fc3995ac92cb367cd9af6c4780ead712",
  bytes: 223_488_205,
  unpacked: 740_805_624
}

/** TensorFlow was built with CUDA 12.5 and cuDNN 9; these are of CUDA 12.9.1, the last 12, which knows newer GPUs. */
const gpuX64: ReadonlyArray<Wheel> = [
  {
    name: "tensorflow",
    version: VERSION,
    platform: "manylinux_2_27_x86_64",
    sha256: "b3b95643c4e70eb925839938fb35cbe142f317ec84af6844ee61513713bb13c0",
    bytes: 572_611_111,
    unpacked: 1_259_021_080
  },
  {
    name: "nvidia-cublas-cu12",
    version: "12.9.1.4",
    platform: "manylinux_2_27_x86_64",
    sha256: "453611eb21a7c1f2c2156ed9f3a45b691deda0440ec550860290dc901af5b4c2",
    bytes: 581_242_350,
    unpacked: 855_100_704
  },
  {
    name: "nvidia-cuda-cupti-cu12",
    version: "12.9.79",
    platform: "manylinux_2_25_x86_64",
    sha256: "096bcf334f13e1984ba36685ad4c1d6347db214de03dbb6eebb237b41d9d934f",
    bytes: 10_814_997,
    unpacked: 43_365_768
  },
  {
    name: "nvidia-cuda-nvcc-cu12",
    version: "12.9.86",
    platform: "manylinux2010_x86_64",
    sha256: "5d6a0d32fdc7ea39917c20065614ae93add6f577d840233237ff08e9a38f58f0",
    bytes: 40_546_229,
    unpacked: 35_417_224
  },
  {
    name: "nvidia-cuda-nvrtc-cu12",
    version: "12.9.86",
    platform: "manylinux2010_x86_64",
    sha256: "210cf05005a447e29214e9ce50851e83fc5f4358df8b453155d5e1918094dcb4",
    bytes: 89_568_129,
    unpacked: 227_340_992
  },
  {
    name: "nvidia-cuda-runtime-cu12",
    version: "12.9.79",
    platform: "manylinux2014_x86_64",
    sha256: "25bba2dfb01d48a9b59ca474a1ac43c6ebf7011f1b0b8cc44f54eb6ac48a96c3",
    bytes: 3_493_179,
    unpacked: 741_088
  },
  {
    name: "nvidia-cudnn-cu12",
    version: "9.10.2.21",
    platform: "manylinux_2_27_x86_64",
    sha256: "949452be657fa16687d0930933f032835951ef0892b37d2d53824d1a84dc97a8",
    bytes: 706_758_467,
    unpacked: 1_053_232_960
  },
  {
    name: "nvidia-cufft-cu12",
    version: "11.4.1.4",
    platform: "manylinux2014_x86_64",
    sha256: "c67884f2a7d276b4b80eb56a79322a95df592ae5e765cf1243693365ccab4e28",
    bytes: 200_877_592,
    unpacked: 293_609_416
  },
  {
    name: "nvidia-curand-cu12",
    version: "10.3.10.19",
    platform: "manylinux_2_27_x86_64",
    sha256: "49b274db4780d421bd2ccd362e1415c13887c53c214f0d4b761752b8f9f6aa1e",
    bytes: 68_295_626,
    unpacked: 166_965_432
  },
  {
    name: "nvidia-cusolver-cu12",
    version: "11.7.5.82",
    platform: "manylinux_2_27_x86_64",
    sha256: "15da72d1340d29b5b3cf3fd100e3cd53421dde36002eda6ed93811af63c40d88",
    bytes: 338_117_415,
    unpacked: 494_975_064
  },
  {
    name: "nvidia-cusparse-cu12",
    version: "12.5.10.65",
    platform: "manylinux2014_x86_64",
    sha256: "73060ce019ac064a057267c585bf1fd5a353734151f87472ff02b2c5c9984e78",
    bytes: 366_465_088,
    unpacked: 486_556_368
  },
  {
    name: "nvidia-nccl-cu12",
    version: "2.27.7",
    platform: "manylinux2014_x86_64",
    sha256: "de5ba5562f08029a19cb1cd659404b18411ed0d6c90ac5f52f30bf99ad5809aa",
    bytes: 322_546_339,
    unpacked: 430_126_192
  },
  {
    name: "nvidia-nvjitlink-cu12",
    version: "12.9.86",
    platform: "manylinux2010_x86_64",
    sha256: "e3f1171dbdc83c5932a45f0f4c99180a70de9bd2718c1ab77d14104f6d7147f9",
    bytes: 39_748_338,
    unpacked: 95_935_344
  }
]

const builds = { x64: [cpuX64], x64Gpu: gpuX64, arm64: [cpuArm64], macArm64: [cpuMacArm64] } as const

/** The wheels to set up on a platform; a LibraryError that says what is supported where there are none. */
export const wheelsFor = (
  platform: Platform,
  gpu: boolean
): Effect.Effect<ReadonlyArray<Wheel>, LibraryError> => {
  const build = buildFor(platform, gpu)
  return build === undefined ? Effect.fail(noBuild(platform, gpu)) : Effect.succeed(builds[build])
}
