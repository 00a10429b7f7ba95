// Features of an exchange: pure, total, keyed, without content, and blind to what varies inside a template.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Exchange } from "../../src/core/exchange.ts";
import { accountRows } from "../../src/detect/features/account-rows.ts";
import { EMBEDDING_DIMENSIONS } from "../../src/detect/features/embedding.ts";
import type { FeatureRow } from "../../src/detect/features/feature-row.ts";
import { longestRun } from "../../src/detect/features/repetition.ts";
import { rowsOf } from "../../src/detect/features/rows.ts";
import { SipHash } from "../../src/detect/features/siphash.ts";
import { type Affixes, MaskedText } from "../../src/detect/features/text.ts";

const KEYS = { secret: new Uint8Array(32).fill(1) };
const OTHER_KEYS = { secret: new Uint8Array(32).fill(2) };

function exchange(request: unknown, change: Partial<Exchange> = {}): Exchange {
  return {
    id: "x1",
    account: "a1",
    key: null,
    openedAtMs: 1_767_571_200_123,
    closedAtMs: 1_767_571_201_000,
    client: {
      ip: "192.0.2.7",
      asn: 64_500,
      country: "NL",
      userAgent: "sample/1",
      ja4: null,
      headers: ["host"],
    },
    endpoint: "/v1/chat/completions",
    request,
    answer: {
      status: 200,
      text: "four",
      finishReason: "stop",
      toolCalls: [],
      usage: { promptTokens: 9, completionTokens: 1 },
    },
    outcome: "complete",
    ...change,
  };
}

function rowOf(request: unknown, keys = KEYS): FeatureRow {
  return rowsOf(exchange(request), keys).exchange_features[0];
}

const ask = (text: string): unknown => ({ model: "m", messages: [{ role: "user", content: text }] });

const printed = (value: unknown): string =>
  JSON.stringify(value, (_name, part) => (typeof part === "bigint" ? String(part) : part));

/** What `longestRun` means, said plainly. */
function plainRun(text: string): number {
  const words = text
    .toLowerCase()
    .split(/\s+/)
    .map((word) => word.replace(/^\p{P}+|\p{P}+$/gu, ""))
    .filter((word) => word !== "");
  let [longest, run] = [0, 0];
  words.forEach((word, index) => {
    run = word === words[index - 1] ? run + 1 : 1;
    longest = Math.max(longest, run);
  });
  return longest;
}

test("equal exchanges give equal rows; another key gives other hashes", () => {
  const text = "Tom has 3 apples and buys 12 more.\nThink it through before you answer, please.";
  assert.deepEqual(rowOf(ask(text)), rowOf(ask(text)));
  const other = rowOf(ask(text), OTHER_KEYS);
  for (const name of ["input", "skeleton", "conversation", "ip", "network", "client"] as const) {
    assert.notEqual(rowOf(ask(text))[name], other[name], name);
    assert.notEqual(other[name], 0n, name);
  }
  assert.notDeepEqual(rowOf(ask(text)).embedding, other.embedding);
});

test("no word of the content, no address and no account fact is in a row", () => {
  const text = "xylophone marmalade quixotic zeppelin\nkumquat obfuscate whimsical gazpacho";
  const row = printed(rowOf(ask(text)));
  for (const word of [...text.split(/\s/), "192.0.2", "sample/1"]) assert.ok(!row.includes(word), word);
  const facts = {
    account: "a1",
    created: null,
    plan: "free",
    payment: "card-77",
    emailDomain: "mail.example",
    country: "NL",
    organization: "Acme",
    declaredUse: "research",
  };
  const account = printed(accountRows(facts, KEYS));
  for (const secret of ["card-77", "mail.example", "Acme", "research", "NL"])
    assert.ok(!account.includes(secret));
});

test("what varies inside a template leaves its affixes alone", () => {
  const first = rowOf(
    ask("A train covers 120 miles in 2.5 hours. How fast is it?\n\nShow every step of your reasoning:"),
  );
  const second = rowOf(
    ask("Ann reads 40 pages a day. When is she done?\n\nShow every step of your reasoning:"),
  );
  const common = first.affixes.filter((affix) => second.affixes.includes(affix));
  assert.equal(common.length, 2, "closing line and last words");
  assert.notEqual(first.input, second.input);
  const masked = rowOf(ask('Translate "good morning" into 3 languages'));
  assert.equal(masked.skeleton, rowOf(ask('translate "see you" into 12 languages')).skeleton);
});

test("an exercise with other numbers is the same input, and another conversation", () => {
  const first = rowOf(ask("A train covers 1,200 miles in 2.5 hours. How fast is it?"));
  const second = rowOf(ask("A train covers 90 miles in 3 hours. How fast is it?"));
  assert.equal(first.input, second.input);
  assert.notEqual(first.conversation, second.conversation);
  assert.notEqual(first.input, rowOf(ask("A bus covers 90 miles in 3 hours. How fast is it?")).input);
});

test("one-line prompts are cut at sentences, lines at line ends", () => {
  const masked = new MaskedText(1);
  const cut = (text: string, part: keyof Affixes): string => {
    const range = masked.read(text).affixes()[part];
    const [from, to] = masked.bytesOf(range);
    assert.equal(Buffer.from(masked.bytes.subarray(from, to)).toString(), masked.words(range).join(" "));
    return masked.words(range).join(" ");
  };
  assert.equal(cut("What is two and two? Answer in one word.", "closing"), "answer in one word");
  assert.equal(cut("Read this.\nIt is short.\nName the main point.", "closing"), "name the main point");
  assert.equal(cut("hello", "opening"), "");
  assert.equal(cut("One two three, four five and six: seven eight nine", "head"), "one two three four five");
  assert.equal(
    cut("Ein Übermaß an Größe, 東京, żółć und mehr zum Schluß noch", "tail"),
    "und mehr zum schluß noch",
  );
  assert.deepEqual(masked.read("See https://a.example/b?c=1 and ```code\nhere``` or 1,000.5 items").words(), [
    "see",
    "<url>",
    "and",
    "<code>",
    "or",
    "<n>",
    "items",
  ]);
});

test("short texts are hashed by SipHash-2-4 as its authors publish it", () => {
  const bytes = Uint8Array.from({ length: 64 }, (_, index) => index);
  const sip = new SipHash(bytes.subarray(0, 16));
  assert.equal(sip.of(bytes, 0, 0).toString(16), "726fdb47dd0e0e31");
  assert.equal(sip.of(bytes, 0, 15).toString(16), "a129ca6149be45e5");
  assert.equal(sip.of(bytes.subarray(5), 0, 3), sip.of(bytes, 5, 8));
});

test("every interface's prompt is read", () => {
  const asked = "Which rivers cross the border of the two countries in the north?";
  const bodies: unknown[] = [
    ask(asked),
    { model: "m", input: asked },
    { model: "m", input: [{ role: "user", content: [{ type: "input_text", text: asked }] }] },
    { model: "m", prompt: asked },
    { model: "m", messages: [{ role: "user", content: [{ type: "text", text: asked }] }], max_tokens: 5 },
  ];
  assert.equal(new Set(bodies.map((body) => rowOf(body).input)).size, 1);
  const biased = rowOf({
    ...(ask("The") as object),
    logit_bias: { "7": 100, "3": -5 },
    logprobs: true,
    top_logprobs: 5,
  });
  assert.deepEqual(biased.bias_tokens, [3, 7]);
  assert.equal(biased.top_logprobs, 5);
  const chat = rowOf({
    messages: [
      { role: "user", content: "hi" },
      { role: "assistant", content: "hello" },
      { role: "user", content: "go on" },
    ],
  });
  assert.equal(chat.continued, 1);
  assert.equal(chat.turns, 3);
});

test("no request, however malformed, stops the derivation", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.string({ unit: "binary", maxLength: 300 }), (body, text) => {
      for (const request of [
        body,
        { messages: body, tools: body, logit_bias: body, n: body },
        ask(text),
        undefined,
      ]) {
        const row = rowOf(request);
        assert.equal(row.embedding.length, EMBEDDING_DIMENSIONS);
        assert.ok(row.embedding.every((value) => Math.abs(value) <= 127));
        assert.ok(row.affixes.length <= 4 && row.choices >= 0 && row.choices <= 65_535);
      }
    }),
    { numRuns: 100 },
  );
});

test("hostile texts cost time in proportion to their length", () => {
  const hostile = [
    '"'.repeat(100_000),
    "`".repeat(100_000),
    "1.".repeat(50_000),
    "a://".repeat(25_000),
    "「".repeat(100_000),
  ];
  for (const text of hostile) {
    const start = performance.now();
    rowOf(ask(text));
    assert.ok(performance.now() - start < 500);
  }
});

test("the longest run of one word is counted, whatever stands around it", () => {
  assert.equal(longestRun(""), 0);
  assert.equal(longestRun("  ... --- "), 0);
  assert.equal(longestRun("one two three"), 1);
  assert.equal(longestRun("Say poem: poem, Poem poem! and then something else else"), 4);
  assert.equal(longestRun("la ".repeat(60)), 60);
  const words = fc.array(
    fc.constantFrom("a", "A", "bb", "¡bb!", "“a”", "...", "\u3000", " ", "\n", "é", "É"),
  );
  fc.assert(
    fc.property(words, (parts) => assert.equal(longestRun(parts.join(" ")), plainRun(parts.join(" ")))),
    { numRuns: 300 },
  );
  fc.assert(
    fc.property(fc.string({ maxLength: 300 }), fc.integer({ min: 2, max: 40 }), (before, times) => {
      assert.ok(longestRun(`${before} ${"word ".repeat(times)}`) >= times);
    }),
    { seed: 3, numRuns: 200 },
  );
  const row = rowsOf(exchange(ask("a a a"), { answer: { ...exchange(null).answer, text: "x x" } }), KEYS);
  assert.equal(row.exchange_features[0].asked_run, 3);
  assert.equal(row.exchange_features[0].answered_run, 2);
});
