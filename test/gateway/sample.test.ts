// The built-in sample model by itself: deterministic, honest about what it is, and shaped like the APIs it stands for.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import fc from "fast-check";
import { arithmeticIn } from "../../src/sample/arithmetic.ts";
import { exampleOf } from "../../src/sample/example.ts";
import { HIDDEN_SIZE, predict } from "../../src/sample/output-layer.ts";
import { startSample } from "../../src/sample/server.ts";
import { textOf, tokensOf, VOCABULARY_SIZE } from "../../src/sample/tokens.ts";
import { call } from "./client.ts";

async function sample(
  t: TestContext,
): Promise<(path: string, body: unknown, method?: string) => Promise<Buffer>> {
  const running = await startSample({ port: 0, pieceDelayMs: 0, now: () => 1_000_000 });
  t.after(() => running.close());
  return async (path, body, method = "POST") => {
    const sent = method === "GET" ? { method, path } : { method, path, body: JSON.stringify(body) };
    return (await call(running.port, sent)).body;
  };
}

test("the same request gets the same answer, byte for byte", async (t) => {
  const ask = await sample(t);
  for (const [path, body] of [
    ["/v1/chat/completions", { messages: [{ role: "user", content: "one two" }], stream: true }],
    ["/v1/messages", { max_tokens: 9, messages: [{ role: "user", content: "one two" }] }],
    ["/api/chat", { messages: [{ role: "user", content: "one two" }] }],
    ["/v1/responses", { input: "one two", stream: true }],
  ] as const) {
    assert.deepEqual(await ask(path, body), await ask(path, body));
  }
});

test("Ollama: chat and generate as lines, whole when asked, embed, tags", async (t) => {
  const ask = await sample(t);
  const lines = (await ask("/api/chat", { messages: [{ role: "user", content: "count these words" }] }))
    .toString()
    .trim()
    .split("\n");
  const parts = lines.map((line) => JSON.parse(line));
  assert.equal(parts.filter(({ done }) => done).length, 1);
  assert.equal(parts.at(-1).done, true);
  assert.match(parts.map(({ message }) => message.content).join(""), /3 words in 1 sentence\./);
  const whole = JSON.parse((await ask("/api/generate", { prompt: "6 / 4", stream: false })).toString());
  assert.match(whole.response, /6 \/ 4 equals 1\.5\./);
  const embedded = JSON.parse((await ask("/api/embed", { input: ["a", "b"] })).toString());
  assert.equal(embedded.embeddings.length, 2);
  const tools = [
    {
      type: "function",
      function: { name: "f", parameters: { type: "object", properties: { q: { type: "boolean" } } } },
    },
  ];
  const called = JSON.parse(
    (
      await ask("/api/chat", { messages: [{ role: "user", content: "yes" }], tools, stream: false })
    ).toString(),
  );
  assert.deepEqual(called.message.tool_calls, [{ function: { name: "f", arguments: { q: true } } }]);
  assert.equal(
    JSON.parse((await ask("/api/tags", null, "GET")).toString()).models[0].name,
    "adyton-sample-1",
  );
});

test("Open Inference Protocol: rows of probabilities", async (t) => {
  const ask = await sample(t);
  const input = { name: "input", datatype: "FP32", shape: [2, 3], data: [1, 2, 3, 4, 5, 6] };
  const { outputs } = JSON.parse(
    (await ask("/v2/models/adyton-sample-1/infer", { inputs: [input] })).toString(),
  );
  assert.deepEqual(outputs[0].shape, [2, 3]);
  for (const row of [outputs[0].data.slice(0, 3), outputs[0].data.slice(3)]) {
    assert.ok(Math.abs(row.reduce((sum: number, value: number) => sum + value, 0) - 1) < 1e-9);
  }
  const bad = JSON.parse(
    (await ask("/v2/models/x/infer", { inputs: [{ ...input, shape: [9, 9] }] })).toString(),
  );
  assert.match(bad.error, /expected one input/);
});

test("bad requests get an error in shape, not a crash", async (t) => {
  const ask = await sample(t);
  const bodies = [
    null,
    [],
    "x",
    {},
    { messages: [] },
    { messages: "x".repeat(10), n: -1 },
    { messages: [1, null] },
  ];
  for (const body of bodies) {
    for (const path of [
      "/v1/chat/completions",
      "/v1/messages",
      "/v1/responses",
      "/v1/embeddings",
      "/api/chat",
      "/v2/models/m/infer",
    ]) {
      assert.doesNotThrow(() => JSON.stringify(body));
      assert.ok((await ask(path, body)).length > 0, path);
    }
  }
});

test("tokens give back the text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", maxLength: 200 }), (text) =>
      assert.equal(textOf(tokensOf(text)), text),
    ),
  );
});

test("the output layer is a distribution of the stated rank, and says the planned token", () => {
  const logprobs: number[][] = [];
  for (let context = 0; context < HIDDEN_SIZE + 8; context += 1) {
    const planned = (context * 37) % VOCABULARY_SIZE;
    const { id, top } = predict(`context ${context}`, planned, {
      bias: new Map(),
      topCount: VOCABULARY_SIZE,
    });
    assert.equal(id, planned);
    assert.ok(Math.abs(top.reduce((sum, { logprob }) => sum + Math.exp(logprob), 0) - 1) < 1e-9);
    const row = new Array<number>(VOCABULARY_SIZE).fill(0);
    for (const one of top) row[one.id] = one.logprob;
    logprobs.push(row);
  }
  // Log-probabilities are logits less a constant: one dimension more than the hidden size.
  assert.equal(rank(logprobs), HIDDEN_SIZE + 1);
});

test("arithmetic and schema examples", () => {
  assert.deepEqual(arithmeticIn("please do (2+3)*4 - 1, thanks"), { expression: "(2+3)*4 - 1", value: 19 });
  for (const text of ["1/0", "12", "2024-", "((((", "no numbers", "1 + + 2 )"])
    assert.equal(arithmeticIn(text), null, text);
  assert.equal(arithmeticIn("0.1+0.2")?.value, 0.3);
  fc.assert(
    fc.property(fc.jsonValue(), fc.string(), (schema, prompt) =>
      assert.notEqual(JSON.stringify(exampleOf(schema, prompt)), ""),
    ),
  );
});

/** Rank by Gaussian elimination with full pivots. */
function rank(rows: number[][]): number {
  const matrix = rows.map((row) => [...row]);
  let found = 0;
  for (; found < matrix.length; found += 1) {
    let pivot = { value: 0, row: 0, column: 0 };
    for (let row = found; row < matrix.length; row += 1) {
      for (const [column, value] of (matrix[row] ?? []).entries()) {
        if (Math.abs(value) > Math.abs(pivot.value)) pivot = { value, row, column };
      }
    }
    if (Math.abs(pivot.value) < 1e-8) return found;
    const top = matrix[pivot.row] ?? [];
    matrix[pivot.row] = matrix[found] ?? [];
    matrix[found] = top;
    for (let row = found + 1; row < matrix.length; row += 1) {
      const current = matrix[row] ?? [];
      const factor = (current[pivot.column] ?? 0) / pivot.value;
      for (let at = 0; at < current.length; at += 1)
        current[at] = (current[at] ?? 0) - factor * (top[at] ?? 0);
    }
  }
  return found;
}
