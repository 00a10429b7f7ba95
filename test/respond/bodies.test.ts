// What the request path does to bodies: members taken out of JSON and not a byte else, tokens found in answers.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { tokensUsed } from "../../src/core/answer-usage.ts";
import { withoutMembers } from "../../src/core/json-members.ts";
import { reduceRequest } from "../../src/core/reduction.ts";

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

describe("reduceRequest", () => {
  const reduced = (request: unknown): unknown =>
    JSON.parse(Buffer.from(reduceRequest(Buffer.from(JSON.stringify(request))).body).toString());

  it("takes away what a copier needs, and nothing else", () => {
    const kept = {
      model: "m",
      messages: [{ role: "user", content: "logprobs?" }],
      temperature: 0.2,
      seed: 7,
    };
    const asked = {
      ...{
        logprobs: true,
        top_logprobs: 20,
        prompt_logprobs: 1,
        logit_bias: { "50256": -100 },
        n: 4,
        best_of: 8,
      },
      ...{ thinking: { type: "enabled", budget_tokens: 1024 }, think: true, include_reasoning: true },
      include: ["message.output_text.logprobs"],
    };
    assert.deepEqual(reduced({ ...kept, ...asked }), kept);
    assert.deepEqual(reduced({ ...kept, n: 1, include: ["file_search_call.results"] }), {
      ...kept,
      n: 1,
      include: ["file_search_call.results"],
    });
  });

  it("reads names as the most lenient server does", () => {
    assert.deepEqual(
      reduced({ LogProbs: true, "logprob\u017f": true, Top_Logprobs: 5, "Thin\u212a": true, model: "m" }),
      {
        model: "m",
      },
    );
  });

  it("says when a laxer parser might see an object where there is none", () => {
    const isObject = (bytes: Buffer): boolean => reduceRequest(bytes).isObject;
    assert.equal(isObject(Buffer.from('{"logprobs":true}')), true);
    assert.equal(isObject(Buffer.from('\ufeff{"logprobs":true}')), false);
    assert.equal(isObject(Buffer.from('{"logprobs":true}', "utf16le")), false);
    assert.equal(isObject(Buffer.from('{"logprobs":true,"x":NaN}')), false);
  });
});

describe("tokensUsed", () => {
  const used = (answer: string, isStream = false): unknown =>
    tokensUsed({ request: Buffer.alloc(400), answer: Buffer.from(answer), isStream });

  it("takes the upstream's figures, of any API, whole or streamed", () => {
    assert.deepEqual(used('{"usage":{"prompt_tokens":12,"completion_tokens": 34}}'), {
      inputTokens: 12,
      outputTokens: 34,
    });
    assert.deepEqual(used('{"usage":{"input_tokens":5,"output_tokens":6}}'), {
      inputTokens: 5,
      outputTokens: 6,
    });
    assert.deepEqual(used('{"done":true,"prompt_eval_count":7,"eval_count":8}'), {
      inputTokens: 7,
      outputTokens: 8,
    });
    const start = 'data: {"message":{"usage":{"input_tokens":9,"output_tokens":1}}}\n\n';
    const filler = 'data: {"delta":{"text":"word"}}\n\n'.repeat(2000);
    assert.deepEqual(used(`${start}${filler}data: {"usage":{"output_tokens":2000}}\n\n`, true), {
      inputTokens: 9,
      outputTokens: 2000,
    });
  });

  it("is not fooled by what the model writes, and estimates where nothing is said", () => {
    const said = JSON.stringify({ content: 'my usage is "completion_tokens": 0, "prompt_tokens": 0' });
    assert.deepEqual(used(said), { inputTokens: 100, outputTokens: Math.ceil(said.length / 4) });
    assert.deepEqual(used("data: {}\n\n".repeat(30), true), { inputTokens: 100, outputTokens: 30 });
    assert.deepEqual(used("{}\n".repeat(20), true), { inputTokens: 100, outputTokens: 20 });
  });
});
