// Two records back into one exchange: wire and neutral forms, interruptions, erasure, compressed bodies, hostile fields.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { exchangeOf, type ReadableRecord } from "../../src/core/decode/exchange-of.ts";
import { decompress, MAX_INFLATED_BYTES } from "../../src/log/content-coding.ts";
import { OpenAiBodies } from "./bodies.ts";

const OPTIONS = { decompress };
const REQUEST = { model: "m", messages: [{ role: "user", content: "hello" }] };
const NETWORK = {
  ip: "192.0.2.7",
  asn: 64500,
  country: "CH",
  ja4: "t13d",
  method: "POST",
  path: "/v1/chat/completions?beta=1",
  key: "key_1",
};
const FIGURES = { status: 200, outcome: "complete", format: "wire", latencyMs: 5 };

function fields(values: Record<string, unknown>): Map<string, Uint8Array> {
  return new Map(
    Object.entries(values).map(([name, value]) => [
      name,
      value instanceof Uint8Array
        ? value
        : Buffer.from(typeof value === "string" ? value : JSON.stringify(value)),
    ]),
  );
}

function open(values: Record<string, unknown> = {}): ReadableRecord {
  const headers = [
    ["Host", "h"],
    ["User-Agent", "curl/8"],
    ["Content-Type", "application/json"],
  ];
  return {
    leaf: { kind: "open", time: "2026-03-02T00:00:01.000Z", exchange: "x-1" },
    account: "acct_1",
    content: fields({ request: REQUEST, headers, network: NETWORK, ...values }),
  };
}

function close(values: Record<string, unknown> = {}): ReadableRecord {
  return {
    leaf: { kind: "close", time: "2026-03-02T00:00:03.250Z", exchange: "x-1" },
    account: "acct_1",
    content: fields({ response: OpenAiBodies.chatStream, headers: [], figures: FIGURES, ...values }),
  };
}

describe("exchangeOf", () => {
  test("joins a streamed exchange", () => {
    const exchange = exchangeOf(open(), close(), OPTIONS);
    assert.deepEqual(exchange, {
      id: "x-1",
      account: "acct_1",
      key: "key_1",
      openedAtMs: Date.UTC(2026, 2, 2, 0, 0, 1),
      closedAtMs: Date.UTC(2026, 2, 2, 0, 0, 3, 250),
      client: {
        ip: "192.0.2.7",
        asn: 64500,
        country: "CH",
        userAgent: "curl/8",
        ja4: "t13d",
        headers: ["host", "user-agent", "content-type"],
      },
      endpoint: "/v1/chat/completions",
      request: REQUEST,
      answer: {
        status: 200,
        text: "Hello, wörld",
        finishReason: "tool_calls",
        toolCalls: exchange?.answer.toolCalls,
        usage: { promptTokens: 12, completionTokens: 7 },
      },
      outcome: "complete",
    });
  });

  test("reads a neutral answer as it was told", () => {
    const answer = {
      status: 200,
      text: "data: not a stream",
      finishReason: "stop",
      toolCalls: [{ a: 1 }],
      usage: null,
    };
    const neutral = close({ response: answer, figures: { ...FIGURES, format: "neutral" } });
    assert.deepEqual(exchangeOf(open(), neutral, OPTIONS)?.answer, answer);
  });

  test("an interrupted exchange has no answer, an erased one is none", () => {
    const interrupted: ReadableRecord = {
      leaf: { kind: "interrupted", time: "2026-03-02T00:00:09.000Z", exchange: "x-1" },
      account: null,
      content: null,
    };
    const exchange = exchangeOf(open(), interrupted, OPTIONS);
    assert.equal(exchange?.outcome, "interrupted");
    assert.deepEqual(exchange?.answer, {
      status: 0,
      text: "",
      finishReason: null,
      toolCalls: [],
      usage: null,
    });
    assert.equal(exchangeOf({ ...open(), content: null }, close(), OPTIONS), null);
    assert.equal(exchangeOf({ ...open(), account: null }, close(), OPTIONS), null);
    assert.equal(exchangeOf(open(), { ...close(), content: null }, OPTIONS), null);
  });

  test("undoes content encodings of answer and request", () => {
    const body = Buffer.from(OpenAiBodies.chat);
    const encoded: [string, Buffer][] = [
      ["gzip", gzipSync(body)],
      ["deflate", deflateSync(body)],
      ["deflate", deflateRawSync(body)],
      ["br", brotliCompressSync(body)],
      ["zstd", zstdCompressSync(body)],
      ["gzip, br", brotliCompressSync(gzipSync(body))],
    ];
    for (const [encoding, response] of encoded) {
      const record = close({ response, headers: [["Content-Encoding", encoding]] });
      assert.equal(exchangeOf(open(), record, OPTIONS)?.answer.text, "Hello, wörld\nHi", encoding);
    }
    const request = gzipSync(JSON.stringify(REQUEST));
    const zipped = open({ request, headers: [["content-encoding", "gzip"]] });
    assert.deepEqual(exchangeOf(zipped, close(), OPTIONS)?.request, REQUEST);
  });

  test("a compressed stream that was cut gives what had come", () => {
    for (const [encoding, bytes] of [
      ["gzip", gzipSync(OpenAiBodies.chatStream.repeat(50))],
      ["br", brotliCompressSync(OpenAiBodies.chatStream.repeat(50))],
    ] as const) {
      const cut = close({
        response: bytes.subarray(0, bytes.length - 12),
        headers: [["content-encoding", encoding]],
      });
      assert.match(exchangeOf(open(), cut, OPTIONS)?.answer.text ?? "", /^Hello, wörld/, encoding);
    }
  });

  test("a decompression bomb, a chain of encodings and an unknown encoding give an empty answer", () => {
    const bomb = gzipSync(Buffer.alloc(MAX_INFLATED_BYTES + 1));
    assert.ok(bomb.length < 100_000);
    const cases: [Uint8Array, string][] = [
      [bomb, "gzip"],
      [gzipSync("x"), "gzip, gzip, gzip, gzip"],
      [Buffer.from("x"), "compress"],
    ];
    for (const [response, encoding] of cases) {
      const record = close({ response, headers: [["content-encoding", encoding]] });
      const exchange = exchangeOf(open(), record, OPTIONS);
      assert.equal(exchange?.answer.text, "");
      assert.equal(exchange?.outcome, "complete");
    }
  });

  test("no bytes in any field make it throw", () => {
    const field = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.json().map((text) => Buffer.from(text)),
      fc.constantFrom(
        '[["content-encoding","gzip"]]',
        '[["content-encoding"]]',
        "[[1,2],null,{}]",
        '{"status":-1}',
      ),
    );
    fc.assert(
      fc.property(
        field,
        field,
        field,
        field,
        field,
        field,
        (request, headers, network, response, other, figures) => {
          const exchange = exchangeOf(
            open({ request, headers, network }),
            close({ response, headers: other, figures }),
            OPTIONS,
          );
          assert.equal(exchange?.account, "acct_1");
          assert.equal(typeof exchange.endpoint, "string");
        },
      ),
      { numRuns: 500 },
    );
  });
});
