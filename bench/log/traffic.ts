// Records like those of real traffic: a question of about a kilobyte, an answer of about as much, made from a seed.
import { Buffer } from "node:buffer";
import type { RecordDraft } from "../../src/core/record.ts";

const WORDS =
  "amber bridge candle delta ember forest glacier harbour island juniper kernel lantern meadow nectar orchard".split(
    " ",
  );
const ACCOUNTS = 200;
const FIRST_MS = Date.UTC(2026, 0, 1);
const HEADERS = Buffer.from('[["content-type","application/json"],["user-agent","example/1.0"]]');
const NETWORK = Buffer.from(
  '{"asn":64500,"country":"CH","ip":"192.0.2.7","ja4":null,"key":"key","method":"POST","path":"/v1/chat/completions"}',
);
const FIGURES = Buffer.from(
  '{"code":null,"firstByteMs":40,"format":"wire","latencyMs":900,"outcome":"complete","responseBytes":900,"status":200,"truncated":false}',
);

/** A text that differs from index to index. */
function textOf(index: number, words: number): string {
  let state = (index * 2_654_435_761) >>> 0;
  const chosen = Array.from({ length: words }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return WORDS[state % WORDS.length];
  });
  return chosen.join(" ");
}

/** Record `index`: opens at even indexes, their closes behind them. */
export function draftOf(index: number): RecordDraft {
  const exchange = `bench-${Math.floor(index / 2)}`;
  const common = {
    exchange,
    account: `account-${Math.floor(index / 2) % ACCOUNTS}`,
    timeMs: FIRST_MS + index,
  };
  if (index % 2 === 0) {
    const messages = [{ role: "user", content: textOf(index, 130) }];
    const request = Buffer.from(JSON.stringify({ model: "model-a", messages }));
    return { kind: "open", ...common, fields: [request, HEADERS, NETWORK] };
  }
  const choices = [{ message: { role: "assistant", content: textOf(index, 130) }, finish_reason: "stop" }];
  return { kind: "close", ...common, fields: [Buffer.from(JSON.stringify({ choices })), HEADERS, FIGURES] };
}

/** A line of an exchanges file. */
export function lineOf(index: number): string {
  return JSON.stringify({
    id: `bench-${index}`,
    time: new Date(FIRST_MS + index * 1_000).toISOString(),
    account: `account-${index % ACCOUNTS}`,
    endpoint: "/v1/chat/completions",
    latency_ms: 900,
    client: {
      ip: "192.0.2.7",
      asn: 64_500,
      country: "CH",
      user_agent: "example/1.0",
      headers: ["user-agent"],
    },
    request: { model: "model-a", messages: [{ role: "user", content: textOf(index, 130) }] },
    response: { status: 200, text: textOf(index + 1, 130), finish_reason: "stop" },
  });
}
