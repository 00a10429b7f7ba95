// The case's events as JSON lines for Timesketch: each with message, datetime and what the time means.

import { canonicalJson } from "../core/canonical-json.ts";
import type { Leaf } from "../core/leaf.ts";
import type { CloseFacts, OpenFacts } from "./exchange-excerpt.ts";
import type { CustodyEntry } from "./verify/custody.ts";
import { visible } from "./visible-text.ts";

const EXCERPT = 200;

interface TimelineEvent {
  readonly time: string;
  readonly what: string;
  readonly message: string;
  readonly index: number;
  readonly more: Readonly<Record<string, string | number | null>>;
}

function lineOf({ time, what, message, index, more }: TimelineEvent): string {
  const datetime = time.replace("Z", "+00:00");
  const timestamp = Date.parse(time) * 1000; // microseconds, as Timesketch has them
  return `${canonicalJson({ ...more, data_type: "adyton:record", datetime, index, message, timestamp, timestamp_desc: what })}\n`;
}

export function openLine(index: number, leaf: Leaf, account: string | null, facts: OpenFacts): string {
  const input = facts.input === null ? "content not shown" : visible(facts.input, EXCERPT);
  return lineOf({
    time: leaf.time,
    what: "Request received",
    message: `${account ?? leaf.account ?? "unknown account"} asked: ${input}`,
    index,
    more: {
      account: account ?? leaf.account ?? null,
      exchange: leaf.exchange ?? null,
      ip: facts.ip,
      model: facts.model,
    },
  });
}

export function closeLine(index: number, leaf: Leaf, account: string | null, facts: CloseFacts): string {
  const isCut = leaf.kind === "interrupted";
  return lineOf({
    time: leaf.time,
    what: isCut ? "Exchange interrupted" : "Answer completed",
    message: isCut
      ? `the exchange with ${account ?? leaf.account ?? "unknown account"} was cut off`
      : `answer to ${account ?? leaf.account ?? "unknown account"}: status ${facts.status ?? "unknown"}, ${facts.outcome ?? "outcome unknown"}`,
    index,
    more: { account: account ?? leaf.account ?? null, exchange: leaf.exchange ?? null },
  });
}

export function custodyLine(entry: CustodyEntry): string {
  return lineOf({
    time: entry.time,
    what: "Case handled",
    message: `${entry.by}: ${entry.what} (${visible(entry.on, EXCERPT)})`,
    index: entry.index,
    more: { case: entry.case, number: entry.number },
  });
}
