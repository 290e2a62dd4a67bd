import { assert, describe, it } from "@effect/vitest"
import { philox4x32 } from "../src/Random/Philox.ts"
import { draws, keyedDraws, shuffle } from "../src/Random.ts"

describe("Philox4x32-10", () => {
  it.each([
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]
    ],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1]
    ]
  ])("gives the authors' known answer for counter %j and key %j", (counter, [key0, key1], answer) => {
    const words = Uint32Array.from(counter)
    philox4x32(words, key0, key1)
    assert.deepStrictEqual([...words], answer)
  })
})

describe("draws", () => {
  const sequence = (random: ReturnType<typeof draws>) =>
    Array.from({ length: 9 }, () => [random.uint32(), random.uniform(), random.int(7), random.normal()])

  it("are a function of seed, stream and counters, in whatever order they are turned to", () => {
    const random = keyedDraws(5, "test")
    assert.deepStrictEqual(sequence(random), sequence(draws(5, "test")))
    for (const [a, b, c] of [
      [3, 2, 1],
      [0, 0, 0],
      [3, 2, 1],
      [3, 2, 0]
    ]) {
      random.at(a, b, c)
      assert.deepStrictEqual(sequence(random), sequence(draws(5, "test", a, b, c)))
      // Left in the middle of a block.
      random.uint32()
    }
  })

  it("differ when anything they are keyed by differs", () => {
    const keys = [
      [5, "test"],
      [6, "test"],
      [5, "other"],
      [5, "test", 1],
      [5, "test", 0, 1],
      [5, "test", 0, 0, 1]
    ] as const
    const first = keys.map(([seed, stream, a, b, c]) => draws(seed, stream, a, b, c).uint32())
    assert.strictEqual(new Set(first).size, keys.length)
  })

  it("stay what they were, so that earlier runs can be continued", () => {
    const random = draws(1, "order", 3)
    assert.deepStrictEqual(
      [random.uint32(), random.int(1000), random.uint32()],
      [2805217243, 389, 3451015034]
    )
    assert.deepStrictEqual(
      [
        ...shuffle(
          Uint32Array.from({ length: 8 }, (_, i) => i),
          draws(1, "order", 3)
        )
      ],
      [6, 7, 5, 4, 1, 2, 0, 3]
    )
  })
})
