// Every dialect of an answer, whole and streamed, comes out as the same text, tool calls, finish reason and usage.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { readBody } from "../../src/core/decode/body.ts";
import type { Answer } from "../../src/core/exchange.ts";
import { AnthropicBodies, OllamaBodies, OpenAiBodies } from "./bodies.ts";

function read(body: string | Uint8Array, status = 200): Answer {
  return readBody(typeof body === "string" ? Buffer.from(body) : body, status);
}

const call = (id: string, name: string, args: string): unknown => ({
  id,
  type: "function",
  function: { name, arguments: args },
});

describe("bodies of OpenAI's APIs", () => {
  test("a chat completion with two choices and a tool call", () => {
    assert.deepEqual(read(OpenAiBodies.chat), {
      status: 200,
      text: "Hello, wörld\nHi",
      finishReason: "tool_calls",
      toolCalls: [call("call_1", "weather", '{"city":"Bern"}')],
      usage: { promptTokens: 12, completionTokens: 7 },
    });
  });

  test("a chat stream: split text, tool call in pieces, usage chunk, comments, CRLF, [DONE]", () => {
    for (const stream of [OpenAiBodies.chatStream, OpenAiBodies.chatStream.replaceAll("\n", "\r\n")]) {
      assert.deepEqual(read(stream), {
        status: 200,
        text: "Hello, wörld",
        finishReason: "tool_calls",
        toolCalls: [call("call_1", "weather", '{"city":"Bern"}'), call("call_2", "time", "{}")],
        usage: { promptTokens: 12, completionTokens: 7 },
      });
    }
  });

  test("a stream that was cut keeps what had come", () => {
    const cut = OpenAiBodies.chatStream.slice(0, OpenAiBodies.chatStream.indexOf('"tool_calls"') - 40);
    const answer = read(cut);
    assert.equal(answer.text, "Hello, wörld");
    assert.equal(answer.finishReason, null);
    assert.equal(answer.usage, null);
  });

  test("legacy completions, whole and streamed", () => {
    assert.equal(read(OpenAiBodies.completion).text, "once upon");
    assert.equal(read(OpenAiBodies.completion).finishReason, "length");
    assert.equal(read(OpenAiBodies.completionStream).text, "once upon");
  });

  test("responses, whole and streamed: reasoning is no text, calls are calls", () => {
    for (const body of [OpenAiBodies.response, OpenAiBodies.responseStream]) {
      assert.deepEqual(read(body), {
        status: 200,
        text: "The answer is 4.",
        finishReason: "completed",
        toolCalls: [call("call_9", "add", '{"a":2}')],
        usage: { promptTokens: 20, completionTokens: 9 },
      });
    }
  });

  test("embeddings have figures and no text", () => {
    const answer = read(OpenAiBodies.embeddings);
    assert.equal(answer.text, "");
    assert.deepEqual(answer.usage, { promptTokens: 5, completionTokens: 0 });
  });

  test("an error body is an empty answer with its status", () => {
    const answer = read('{"error":{"message":"slow down","type":"rate_limit"}}', 429);
    assert.deepEqual(answer, { status: 429, text: "", finishReason: null, toolCalls: [], usage: null });
  });
});

describe("bodies of Anthropic's API", () => {
  test("whole and streamed are the same; thinking is left out", () => {
    for (const body of [AnthropicBodies.message, AnthropicBodies.stream]) {
      assert.deepEqual(read(body), {
        status: 200,
        text: "Let me look.",
        finishReason: "tool_use",
        toolCalls: [call("toolu_1", "search", '{"q":"rain"}')],
        usage: { promptTokens: 33, completionTokens: 21 },
      });
    }
  });
});

describe("bodies of Ollama and of numeric models", () => {
  test("chat lines, whole chat, generate", () => {
    for (const body of [OllamaBodies.chatLines, OllamaBodies.chat]) {
      assert.deepEqual(read(body), {
        status: 200,
        text: "Blue sky",
        finishReason: "stop",
        toolCalls: [call("", "look", '{"up":true}')],
        usage: { promptTokens: 4, completionTokens: 2 },
      });
    }
    assert.equal(read(OllamaBodies.generateLines).text, "once upon");
    assert.deepEqual(read('{"embeddings":[[0.1]],"prompt_eval_count":3}').usage, {
      promptTokens: 3,
      completionTokens: 0,
    });
  });

  test("the text of an Open Inference Protocol answer is its first output", () => {
    const body =
      '{"model_name":"m","outputs":[{"name":"o","shape":[1,2],"datatype":"FP32","data":[0.1,0.9]}]}';
    assert.equal(read(body).text, "0.1,0.9");
    assert.equal(read(body).finishReason, null);
  });
});

describe("hostile bodies", () => {
  const valid = [
    ...Object.values(OpenAiBodies),
    ...Object.values(AnthropicBodies),
    ...Object.values(OllamaBodies),
  ];

  function assertSound(answer: Answer): void {
    assert.equal(typeof answer.text, "string");
    assert.ok(answer.finishReason === null || typeof answer.finishReason === "string");
    assert.ok(Array.isArray(answer.toolCalls));
    for (const count of Object.values(answer.usage ?? {}))
      assert.ok(Number.isSafeInteger(count) && count >= 0);
  }

  test("random bytes never throw", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => assertSound(read(bytes))));
  });

  test("valid bodies with bytes changed, removed or doubled never throw", () => {
    const edit = fc.record({
      at: fc.double({ min: 0, max: 0.999, noNaN: true }),
      to: fc.uint8Array({ maxLength: 6 }),
    });
    fc.assert(
      fc.property(
        fc.constantFrom(...valid),
        fc.array(edit, { minLength: 1, maxLength: 8 }),
        (body, edits) => {
          let bytes = Buffer.from(body);
          for (const { at, to } of edits) {
            const place = Math.floor(at * bytes.length);
            bytes = Buffer.concat([bytes.subarray(0, place), to, bytes.subarray(place + (to.length % 3))]);
          }
          assertSound(read(bytes));
        },
      ),
      { numRuns: 500 },
    );
  });

  test("valid bodies with any value replaced by any other never throw", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...valid),
        fc.jsonValue({ maxDepth: 3 }),
        fc.nat(),
        (body, value, which) => {
          const parts = body.split(/(?<=[:,[])(?="|\d|\{|\[|true|false|null)/);
          parts[which % parts.length] = JSON.stringify(value);
          assertSound(read(parts.join("")));
        },
      ),
      { numRuns: 500 },
    );
  });

  test("deep nesting, huge indexes and floods of parts stay bounded", () => {
    assertSound(read("[".repeat(200_000)));
    assertSound(read('{"choices":[{"delta":'.repeat(50_000)));
    const far =
      '{"choices":[{"index":9007199254740991,"delta":{"content":"x","tool_calls":[{"index":1e9}]}}]}';
    assert.equal(read(far).text, "x");
    const many = Array.from({ length: 5000 }, (_, index) => ({ index, message: { content: "x" } }));
    assert.equal(read(JSON.stringify({ choices: many })).text.length, 1024 * 2 - 1);
  });
});
