// Taking members out of JSON: exactly those, and not a byte of anything else.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { withoutMembers } from "../../src/core/json-members.ts";

function without(text: string, ...names: string[]): { text: string; removed: readonly string[] } {
  const { body, removed } = withoutMembers(Buffer.from(text), (name) => names.includes(name));
  return { text: Buffer.from(body).toString(), removed };
}

describe("withoutMembers", () => {
  it("keeps every other byte: digits, order, escapes, spaces inside values", () => {
    const text =
      '{ "seed": 12345678901234567890, "logprobs" : true,\n "a": { "logprobs": [1, 2] }, "x": "\\u00e9}" }';
    assert.deepEqual(without(text, "logprobs"), {
      text: '{"seed": 12345678901234567890,"a": { "logprobs": [1, 2] },"x": "\\u00e9}"}',
      removed: ["logprobs"],
    });
  });

  it("finds a name however it is written, and however often", () => {
    const text = '{"logprobs":1,"log\\u0070robs":2,"l\\u006fgprobs":{"a":"}"},"n":3}';
    assert.deepEqual(without(text, "logprobs"), {
      text: '{"n":3}',
      removed: ["logprobs", "logprobs", "logprobs"],
    });
  });

  it("leaves alone what is no object, and what holds nothing unwanted", () => {
    for (const text of ["", "[1]", '"logprobs"', "{", '{"logprobs":}', "null", '{"n":1} x', '{"n":1}']) {
      assert.deepEqual(without(text, "logprobs"), { text, removed: [] });
    }
    assert.deepEqual(without(" {} ", "n"), { text: " {} ", removed: [] });
  });

  it("says the same as parsing, for any object in any layout", () => {
    const names = fc.constantFrom("logprobs", "n", "a", "__proto__", 'q"\\', "é");
    const object = fc.dictionary(names, fc.jsonValue({ maxDepth: 3 }), { maxKeys: 6 });
    fc.assert(
      fc.property(object, names, fc.integer({ min: 0, max: 3 }), (value, unwanted, indent) => {
        const text = JSON.stringify(value, null, indent);
        const { body } = withoutMembers(Buffer.from(text), (name) => name === unwanted);
        const expected = Object.fromEntries(Object.entries(value).filter(([name]) => name !== unwanted));
        const parsed: unknown = JSON.parse(Buffer.from(body).toString());
        assert.deepEqual(JSON.stringify(parsed), JSON.stringify(expected));
      }),
      { numRuns: 300, seed: 17 },
    );
  });

  it("lets the value decide", () => {
    const { body } = withoutMembers(
      Buffer.from('{"n": 1, "m": 2}'),
      (_name, value) => typeof value() === "number" && Number(value()) > 1,
    );
    assert.equal(Buffer.from(body).toString(), '{"n": 1}');
  });
});
