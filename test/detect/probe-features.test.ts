// Features that probes leave: near-equal texts share keys, blanks are told apart by their passages, numbers keep their distances.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readBody } from "../../src/core/decode/body.ts";
import { KeyedHash } from "../../src/detect/features/keyed-hash.ts";
import { NEAR_KEYS, nearKeys as nearKeysOf } from "../../src/detect/features/near-keys.ts";
import { NO_NUMBERS, NUMERIC_DIMENSIONS, numericOf } from "../../src/detect/features/numeric.ts";
import { promptOf } from "../../src/detect/features/prompt.ts";
import { blanksOf, CUE_BIT, CUT_BIT, endingOf, recallBits } from "../../src/detect/features/recall.ts";
import { MaskedText } from "../../src/detect/features/text.ts";

const hasher = new KeyedHash({ secret: new Uint8Array(32).fill(1) });

function nearKeys(words: readonly string[], seed: number): number[] {
  // Numbers are masked: their digits become letters.
  const letters = words.join(" ").replace(/\d/g, (digit) => String.fromCharCode(0xe0 + Number(digit)));
  const { hashes, count } = new MaskedText(seed).read(letters);
  assert.equal(count, words.length);
  return nearKeysOf(hashes, count);
}

/** Words without a meaning, different for each seed. */
function wordsOf(seed: number, count: number): string[] {
  return Array.from({ length: count }, (_, i) => `w${((seed * 7919 + i * 104_729) % 99_991).toString(36)}`);
}

const shared = (a: readonly number[], b: readonly number[]): number =>
  a.filter((key) => b.includes(key)).length;

test("versions of a text share a key, other texts don't", () => {
  let [versions, others] = [0, 0];
  for (let seed = 1; seed <= 200; seed += 1) {
    const text = wordsOf(seed, 50);
    const edited = text.map((word, i) => (i % 17 === seed % 17 ? `${word}x` : word));
    if (shared(nearKeys(text, 1), nearKeys(edited, 1)) > 0) versions += 1;
    if (shared(nearKeys(text, 1), nearKeys(wordsOf(seed + 1000, 50), 1)) > 0) others += 1;
  }
  assert.ok(versions >= 196, `expected nearly all of 200 versions, got ${versions}`);
  assert.ok(others <= 2, `expected hardly any other text, got ${others}`);
});

test("keys don't depend on the order or number of words, and short texts have none", () => {
  const text = wordsOf(3, 30);
  assert.deepEqual(nearKeys(text, 1), nearKeys([...text.toReversed(), ...text], 1));
  assert.notDeepEqual(nearKeys(text, 1), nearKeys(text, 2));
  assert.equal(nearKeys(text, 1).length, NEAR_KEYS);
  assert.deepEqual(nearKeys(wordsOf(3, 11), 1), []);
});

test("a blank is its surroundings: of a template the same, of a passage its own", () => {
  const template = "Guess the name at [MASK] in the text.\n\n";
  const first = blanksOf(`${template}There was ____ who came home late.`, hasher);
  const second = blanksOf(`${template}Nobody saw <blank> that winter.`, hasher);
  assert.equal(first.length, 2);
  assert.equal(shared(first.map(Number), second.map(Number)), 1);
  for (const plain of [
    "for (let i = 0; i < n; i++) x[i] = (y);",
    "[link](http://a.b)",
    "snake_case_name",
    "",
  ])
    assert.deepEqual(blanksOf(plain, hasher), [], plain);
});

test("prose that breaks off and the asking to go on are seen, in several languages", () => {
  const passage =
    "It was late in the evening when the two of them came back from the river and nobody had seen where";
  assert.equal(recallBits(passage, ""), CUT_BIT);
  assert.equal(recallBits(`${passage} they went.`, ""), 0);
  for (const cue of ["Continue the text:", "Setze den Text fort:", "续写：", "Palabra por palabra:"])
    assert.equal(recallBits(`${cue}\n${passage}`, ""), CUT_BIT | CUE_BIT, cue);
  assert.equal(recallBits(passage, "Recall the passage word for word."), CUT_BIT | CUE_BIT);
  const code = "function add(a, b) { return a + b; }\nfunction sub(a, b) { return a - b; }\nlet x = add(1, 2";
  assert.equal(recallBits(code, ""), 0);
  const other = passage.replace(/^\S+/, "Nobody");
  assert.equal(endingOf(other, hasher), endingOf(passage, hasher), "one end, whatever stands before it");
  assert.notEqual(endingOf(`${passage} beyond`, hasher), endingOf(passage, hasher));
  assert.equal(endingOf(`${passage} they went.`, hasher), 0n);
});

test("biases carry their values", () => {
  const of = (bias: unknown): string => promptOf({ logit_bias: bias }).biasValues;
  assert.notEqual(of({ 5: 10 }), of({ 5: 11 }));
  assert.equal(of({ 5: 10 }), "5:10");
  assert.equal(of("x"), "");
});

const body = (data: unknown, shape: readonly number[]): unknown => ({
  inputs: [{ name: "x", datatype: "FP32", shape, data }],
});

test("sketches of numbers keep distances on the average, and hide the values", () => {
  for (const width of [8, 600]) {
    let [near, far] = [0, 0];
    for (let seed = 1; seed <= 60; seed += 1) {
      const from = Array.from({ length: width }, (_, i) => Math.sin(seed * 31 + i * 7));
      const sketch = (shift: number): readonly number[] =>
        numericOf(body([from.map((value, i) => value + shift * Math.cos(seed + i * 3))], [1, width]), "", 5)
          .numeric;
      const distance = (other: readonly number[]): number =>
        Math.hypot(...sketch(0).map((value, i) => value - (other[i] ?? 0)));
      near += distance(sketch(0.05));
      far += distance(sketch(0.5));
    }
    assert.ok(far / near > 6 && far / near < 12, `expected about ten times as far, got ${far / near}`);
  }
  const { numeric } = numericOf(body([3], [1, 1]), "", 5);
  assert.equal(numeric.length, NUMERIC_DIMENSIONS);
});

test("a batch has a sketch and a class for each input; malformed requests have none", () => {
  const answer = readBody(
    new TextEncoder().encode(
      JSON.stringify({
        model_name: "m",
        outputs: [{ name: "p", shape: [2, 3], data: [0.1, 0.7, 0.2, 0.5, 0.4, 0.1] }],
      }),
    ),
    200,
  );
  const columns = numericOf(body([1, 2, 3, 4], [2, 2]), answer.text, 1);
  assert.equal(columns.numeric_inputs, 2);
  assert.equal(columns.numeric.length, 2 * NUMERIC_DIMENSIONS);
  assert.deepEqual(columns.numeric_classes, [1, 0]);
  assert.deepEqual(numericOf(body(["a"], [1, 1]), "", 1), NO_NUMBERS);
  fc.assert(
    fc.property(fc.anything(), fc.string(), (request, text) => {
      const { numeric } = numericOf({ inputs: [{ data: request, shape: request }] }, text, 1);
      assert.equal(numeric.length % NUMERIC_DIMENSIONS, 0);
    }),
  );
});
