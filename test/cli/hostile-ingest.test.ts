// No request, answer or account fact that a stranger can think of stops the ingest: every exchange leaves its row.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { unknownAccount } from "../../src/core/account.ts";
import { exchangeOf, type ReadableRecord } from "../../src/core/decode/exchange-of.ts";
import { accountRows } from "../../src/detect/features/account-rows.ts";
import { rowsOf } from "../../src/detect/features/rows.ts";
import { Store } from "../../src/store/store.ts";

const TEST_SECRET = { secret: Buffer.from("a secret made for this test only") };
const EXCHANGES = 1_500;
const EXTREMES = [
  "1e400",
  "-1e400",
  "-1",
  "99999999999999999999",
  "0.5",
  "null",
  '"\\ud800"',
  '"a\\u0000b"',
  "[]",
  "{}",
];
const FIELDS = [
  "model",
  "temperature",
  "max_tokens",
  "n",
  "top_p",
  "seed",
  "stop",
  "stream",
  "logprobs",
  "top_logprobs",
];
const MORE = [
  "logit_bias",
  "tools",
  "response_format",
  "user",
  "messages",
  "system",
  "input",
  "prompt",
  "__proto__",
];

/** JSON text of a request in which anything may stand anywhere. */
const request = fc
  .dictionary(
    fc.constantFrom(...FIELDS, ...MORE),
    fc.oneof(
      fc.constantFrom(...EXTREMES),
      fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.stringify(value)),
      fc
        .array(
          fc.record({
            role: fc.constantFrom("user", "system", "assistant", "tool"),
            content: fc.jsonValue(),
          }),
        )
        .map((value) => JSON.stringify(value)),
      fc.constantFrom('{"5":-100,"-1":1e999,"x":null,"4294967296":1}', `"${"\\ud83d".repeat(500)}"`),
    ),
    { maxKeys: 12 },
  )
  .map((fields) => `{${Object.entries(fields).map(([name, value]) => `${JSON.stringify(name)}:${value}`)}}`);

const answer = fc.record({
  text: fc.oneof(fc.string({ unit: "binary" }), fc.constant("\ud800"), fc.jsonValue()),
  usage: fc.oneof(fc.jsonValue(), fc.constant({ promptTokens: 2 ** 53 - 1, completionTokens: 2 ** 40 })),
  toolCalls: fc.jsonValue(),
});
const network = fc.record({
  ip: fc.constantFrom("192.0.2.1", "::1", "", "\ud800", "not an address", ":".repeat(99)),
  asn: fc.constantFrom(0, 4294967295, 2 ** 53 - 1, -1, null),
  country: fc.string({ unit: "binary" }),
  path: fc.string({ unit: "binary" }),
});
const status = fc.constantFrom(0, 200, 99999, 2 ** 40);
const hostile = fc.tuple(request, answer, network, status, fc.string({ unit: "binary", maxLength: 20 }));

function records(
  [body, response, from, code, header]: [string, unknown, unknown, number, string],
  index: number,
): [open: ReadableRecord, close: ReadableRecord] {
  const bytes = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
  const leaf = { time: "2026-03-02T00:00:00.000Z", exchange: `x${index}` };
  const open = { request: Buffer.from(body), headers: bytes([["User-Agent", header]]), network: bytes(from) };
  const figures = bytes({ status: code, outcome: "complete", format: "neutral" });
  const close = { response: bytes(response), headers: bytes([]), figures };
  return [
    { leaf: { kind: "open", ...leaf }, account: "acct", content: new Map(Object.entries(open)) },
    { leaf: { kind: "close", ...leaf }, account: "acct", content: new Map(Object.entries(close)) },
  ];
}

test("hostile exchanges and accounts each leave a row", { timeout: 120_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "adyton-hostile-"));
  const store = await Store.open({ folder });
  try {
    const rows: Record<string, object[]> = {};
    const add = (derived: Readonly<Record<string, readonly object[]>>, leaf: number): void => {
      for (const [table, some] of Object.entries(derived)) {
        rows[table] ??= [];
        rows[table].push(...some.map((row) => ({ leaf, ...row })));
      }
    };
    fc.sample(hostile, EXCHANGES).forEach((values, leaf) => {
      const exchange = exchangeOf(...records(values, leaf), { decompress: () => null });
      assert.ok(exchange !== null);
      add(rowsOf(exchange, TEST_SECRET), leaf);
    });
    for (const [index, plan] of ["", "\ud800", "\0", "x".repeat(100_000)].entries()) {
      add(accountRows({ ...unknownAccount(`a${index}`), plan }, TEST_SECRET), EXCHANGES + index);
    }
    await store.insertBatch({ rows, position: EXCHANGES + 4 });
    const [count] = await store.query<{ rows: number }>(
      "SELECT toUInt32(uniqExact(exchange)) AS rows FROM exchange_features",
    );
    assert.equal(count?.rows, EXCHANGES);
  } finally {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  }
});
