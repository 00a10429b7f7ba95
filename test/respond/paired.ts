// Whether one way of asking is slower than another, judged on pairs: by how much, and whether chance would do that, too.

import assert from "node:assert/strict";
import type OpenAI from "openai";

/** Milliseconds of two requests that differ in nothing but whom they were sent to. */
export type Pair = readonly [without: number, with_: number];

export interface Comparison {
  readonly p99Without: number;
  readonly p99With: number;
  /** Share of relabelled pairs whose difference of the 99th percentiles is at least the one that was seen. */
  readonly chance: number;
}

const RELABELLINGS = 4000;

/**
 * A sign-flip permutation test: were both ways alike, either time of a pair could as well have been the other's. Exact
 * whatever the distribution and however busy the machine, as long as pairs are asked in turn.
 */
export function compare(pairs: readonly Pair[]): Comparison {
  const p99Without = percentile(pairs.map(([without]) => without));
  const p99With = percentile(pairs.map(([, with_]) => with_));
  let state = 20_261_128;
  const flips = (): boolean => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >= 2 ** 31;
  };
  let asLarge = 0;
  for (let round = 0; round < RELABELLINGS; round += 1) {
    const ones: number[] = [];
    const others: number[] = [];
    for (const [without, with_] of pairs) {
      const isFlipped = flips();
      ones.push(isFlipped ? with_ : without);
      others.push(isFlipped ? without : with_);
    }
    if (percentile(others) - percentile(ones) >= p99With - p99Without) asLarge += 1;
  }
  return { p99Without, p99With, chance: (asLarge + 1) / (RELABELLINGS + 1) };
}

function percentile(values: number[]): number {
  const sorted = values.sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.99))] ?? 0;
}

/** What a customer got, byte by byte, and how long that took. */
export interface Answered {
  readonly body: string;
  /** Without the date and the ids, which are each answer's own. */
  readonly headers: readonly string[];
  readonly tookMs: number;
}

export async function asked(client: OpenAI): Promise<Answered> {
  const startedMs = performance.now();
  const answer = await client.chat.completions
    .create({ model: "m", logprobs: true, messages: [{ role: "user", content: "Say hello." }] })
    .asResponse();
  const body = await answer.text();
  const tookMs = performance.now() - startedMs;
  assert.equal(answer.status, 200);
  const headers = [...answer.headers]
    .filter(([name]) => !["date", "x-request-id", "request-id"].includes(name))
    .map(([name, value]) => `${name}: ${value}`);
  return { body, headers, tookMs };
}
