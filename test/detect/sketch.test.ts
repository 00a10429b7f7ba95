// Sketches of accounts: the merge is associative, commutative and the sketch of the union; sizes and estimates hold.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { logBetaBinomial } from "../../src/core/statistics/beta-binomial.ts";
import { BottomSample, chaoRichness, unseenMass } from "../../src/core/statistics/bottom-sample.ts";
import { FEATURE_SCALE, RandomFeatures } from "../../src/core/statistics/random-features.ts";
import { embed } from "../../src/detect/features/embedding.ts";
import { SHAPE_UNIT, shapeOf } from "../../src/detect/features/shape.ts";
import { AccountSketch, type Sketched } from "../../src/detect/sketch/account-sketch.ts";
import { logEnrichment, profileOf, rarefaction } from "../../src/detect/sketch/profile.ts";
import { generator } from "../statistics/generator.ts";

const HOUR_MS = 3_600_000;

const exchange: fc.Arbitrary<Sketched> = fc.record({
  timeMs: fc.integer({ min: 1_700_000_000_000, max: 1_702_000_000_000 }),
  served: fc.boolean(),
  continued: fc.boolean(),
  input: fc.bigInt({ min: 0n, max: 300n }).map((few) => BigInt.asUintN(64, few * 0x9e3779b97f4a7c15n)),
  skeleton: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  completionTokens: fc.integer({ min: 0, max: 4_000 }),
  promptChars: fc.integer({ min: 0, max: 100_000 }),
  embedding: fc.array(fc.integer({ min: -100, max: 100 }), { minLength: 64, maxLength: 64 }),
  shape: fc.array(fc.integer({ min: 0, max: SHAPE_UNIT }), { minLength: 16, maxLength: 16 }),
  tags: fc.integer({ min: 0, max: 2 ** 16 - 1 }),
});

function sketchOf(exchanges: readonly Sketched[]): AccountSketch {
  const sketch = new AccountSketch();
  for (const one of exchanges) sketch.add(one);
  return sketch;
}

function merged(...parts: readonly AccountSketch[]): AccountSketch {
  const sum = new AccountSketch();
  for (const part of parts) sum.merge(part);
  return sum;
}

/** Everything a sketch holds. */
function contents(sketch: AccountSketch): object {
  const { counts, features, hoursOfDay, tags, cells, inputs, skeletons, hoursWorked } = sketch;
  const lists = [features, hoursOfDay, tags, cells].map((list) => Array.from(list));
  return { counts, lists, hoursWorked, inputs: inputs.entries(), skeletons: skeletons.entries() };
}

test("merging sketches is associative and commutative, and gives the sketch of the union", () => {
  const many = fc.array(exchange, { maxLength: 120 });
  fc.assert(
    fc.property(many, many, many, (a, b, c) => {
      const whole = contents(sketchOf([...a, ...b, ...c]));
      const [x, y, z] = [sketchOf(a), sketchOf(b), sketchOf(c)];
      assert.deepEqual(contents(merged(x, y, z)), whole);
      assert.deepEqual(contents(merged(x, merged(y, z))), whole);
      assert.deepEqual(contents(merged(z, y, x)), whole);
      assert.deepEqual(contents(merged(x, new AccountSketch())), contents(x));
    }),
    { numRuns: 40 },
  );
});

test("the order of exchanges does not matter", () => {
  fc.assert(
    fc.property(fc.array(exchange, { maxLength: 150 }), (list) => {
      assert.deepEqual(contents(sketchOf([...list].reverse())), contents(sketchOf(list)));
    }),
    { numRuns: 30 },
  );
});

test("an account costs at most four kibibytes, however much it asks", () => {
  const empty = new AccountSketch().bytes;
  assert.ok(empty <= 4_096, `${empty} bytes`);
  const busy = sketchOf(fc.sample(exchange, { numRuns: 400, seed: 4 }));
  assert.equal(busy.bytes, empty);
  assert.ok(busy.inputs.size <= busy.inputs.capacity);
});

test("a bottom-k sample keeps exact counts and estimates what it left out", () => {
  const random = generator(5);
  const sample = new BottomSample(200);
  const keys = Array.from({ length: 5_000 }, () => random());
  for (const key of keys) sample.add(key);
  for (const key of keys.slice(0, 2_500)) sample.add(key);
  assert.equal(sample.size, 200);
  assert.ok(Math.abs(sample.distinct() / 5_000 - 1) < 0.25, `${sample.distinct()}`);
  const twice = new Set(keys.slice(0, 2_500));
  for (const [hash, count] of sample.entries()) assert.equal(count, twice.has(hash) ? 2 : 1);
  assert.ok(Math.abs(unseenMass(sample, 7_500) - 1 / 3) < 0.12, `${unseenMass(sample, 7_500)}`);
  assert.ok(chaoRichness(sample) > sample.distinct());
  assert.equal(unseenMass(new BottomSample(4), 0), 0);
});

test("inner products of random features are the kernel", () => {
  const random = generator(6);
  const bandwidths = [0.5, 1];
  const features = new RandomFeatures({ bandwidths, seed: 7 });
  let square = 0;
  const rounds = 60;
  for (let round = 0; round < rounds; round += 1) {
    const x = Array.from({ length: 64 }, () => random() - 0.5);
    const mix = random();
    const y = x.map((value) => mix * value + (1 - mix) * (random() - 0.5));
    const dot = (a: number[], b: number[]): number =>
      a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
    const distance = 2 - (2 * dot(x, y)) / Math.sqrt(dot(x, x) * dot(y, y));
    const kernel = bandwidths.reduce((sum, b) => sum + Math.exp(-distance / (2 * b * b)) / 2, 0);
    const [a, b] = [new Int32Array(features.length), new Int32Array(features.length)];
    features.add(x, a);
    features.add(y, b);
    const estimate = dot([...a], [...b]) / (FEATURE_SCALE ** 2 * (features.length / 2));
    square += (estimate - kernel) ** 2;
  }
  assert.ok(Math.sqrt(square / rounds) < 0.09, `error ${Math.sqrt(square / rounds)}`);
});

function likeExchange(words: readonly string[], at: number): Sketched {
  return {
    timeMs: 1_700_000_000_000 + at * HOUR_MS,
    served: true,
    continued: false,
    input: BigInt.asUintN(64, BigInt(at + 1) * 0x9e3779b97f4a7c15n),
    skeleton: 1n,
    completionTokens: 10,
    promptChars: 40,
    embedding: embed(words, 1),
    shape: shapeOf(words.join(" ")),
    tags: at % 2,
  };
}

test("a profile tells a narrow clockwork from a broad person", () => {
  const random = generator(8);
  const word = (of: number): string => `w${Math.floor(random() * of)}`;
  const narrow = sketchOf(
    Array.from({ length: 240 }, (_, at) => likeExchange(["rate", "this", word(4), word(4)], at)),
  );
  const broad = sketchOf(
    Array.from({ length: 240 }, (_, at) =>
      likeExchange(
        Array.from({ length: 12 }, () => word(5_000)),
        24 * at + (at % 3),
      ),
    ),
  );
  const [a, b] = [profileOf(narrow), profileOf(broad)];
  assert.ok(a.nearPairs > 3 * b.nearPairs, `${a.nearPairs} against ${b.nearPairs}`);
  assert.ok(a.cells < b.cells);
  assert.ok(a.rhythm < 0.05 && b.rhythm > 0.5, `${a.rhythm} against ${b.rhythm}`);
  assert.equal(a.hoursWorked, 240);
  assert.equal(a.skeletonRepetition, 240);
  const { expected, deviation } = rarefaction(broad.cells, 240);
  assert.ok(a.cells < expected - 4 * deviation);
  assert.ok(Math.abs(narrow.tags[0] ?? 0) === 120);
});

test("enrichment is an e-value: its mean under the null is one", () => {
  let mean = 0;
  const kind = { share: 0.2, strength: 10 };
  for (let hits = 0; hits <= 30; hits += 1) {
    const log = logBetaBinomialOf(hits, 30, 2, 8);
    mean += Math.exp(log + logEnrichment({ hits, trials: 30 }, kind));
  }
  assert.ok(Math.abs(mean - 1) < 1e-9, `${mean}`);
});

function logBetaBinomialOf(hits: number, trials: number, a: number, b: number): number {
  return logBetaBinomial({ hits, size: trials }, { alpha: a, beta: b });
}

test("a shape is sixteen bytes for any text", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 300 }), (text) => {
      const shape = shapeOf(text);
      assert.equal(shape.length, 16);
      for (const value of shape) assert.ok(Number.isInteger(value) && value >= 0 && value <= SHAPE_UNIT);
    }),
  );
  assert.notDeepEqual(shapeOf("Who?"), shapeOf("3 + 4 = 7"));
});
