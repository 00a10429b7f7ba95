// Virtual time: whatever comes in, records happen in order and no tick sees anything later than itself.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Pending } from "../../src/cli/replay/pending.ts";
import { Timeline } from "../../src/cli/replay/timeline.ts";
import { type AccountFacts, unknownAccount } from "../../src/core/account.ts";
import { type NeutralExchange, readNeutralExchange } from "../../src/core/decode/neutral.ts";
import type { RecordDraft } from "../../src/core/record.ts";

const HOUR_MS = 3_600_000;
const START_MS = Date.UTC(2026, 2, 2, 10, 30);

function exchange(id: number, openedMs: number, latencyMs: number, account: string): NeutralExchange {
  const line = {
    id: `x${id}`,
    time: new Date(openedMs).toISOString(),
    account,
    request: {},
    response: { status: 200, text: "" },
    latency_ms: latencyMs,
  };
  const read = readNeutralExchange(JSON.stringify(line));
  assert.ok("value" in read);
  return read.value;
}

type Event = { readonly draft: RecordDraft } | { readonly tickMs: number };

async function play(
  exchanges: readonly NeutralExchange[],
  accounts: readonly AccountFacts[] = [],
): Promise<Event[]> {
  const events: Event[] = [];
  const timeline = new Timeline({
    accounts: new Map(accounts.map((facts) => [facts.account, facts])),
    tickMs: HOUR_MS,
    write: (draft) => events.push({ draft }),
    onTick: async (tickMs) => void events.push({ tickMs }),
  });
  for (const each of exchanges) await timeline.take(each);
  await timeline.end();
  return events;
}

const short = (event: Event): string => {
  if ("tickMs" in event) return `tick ${new Date(event.tickMs).toISOString().slice(11, 16)}`;
  const { draft } = event;
  return draft.kind === "act" ? `account ${draft.account}` : `${draft.kind} ${draft.exchange}`;
};

test("an answer that ends after a tick is not seen by it; accounts appear when they are made or used", async () => {
  const born: AccountFacts = {
    ...unknownAccount("late"),
    created: new Date(START_MS + HOUR_MS).toISOString(),
  };
  const early: AccountFacts = { ...unknownAccount("early"), created: "2020-01-01T00:00:00.000Z" };
  const events = await play(
    [
      exchange(1, START_MS, 45 * 60_000, "a"),
      exchange(2, START_MS + 1000, 10, "early"),
      exchange(3, START_MS + 3 * HOUR_MS, 0, "unknown"),
    ],
    [unknownAccount("a"), born, early],
  );
  assert.deepEqual(events.map(short), [
    "account early",
    "account a",
    "open x1",
    "open x2",
    "close x2",
    "tick 11:00",
    "close x1",
    "account late",
    "tick 12:00",
    "tick 13:00",
    "account unknown",
    "open x3",
    "close x3",
    "tick 14:00",
  ]);
});

test("no input, no ticks", async () => {
  assert.deepEqual(await play([]), []);
});

test("records come in the order of their times and between their ticks", async () => {
  const any = fc.record({
    gapMs: fc.nat(2 * HOUR_MS),
    latencyMs: fc.nat(3 * HOUR_MS),
    account: fc.constantFrom("a", "b", "c"),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(any, { maxLength: 40 }), async (list) => {
      let at = START_MS;
      const exchanges = list.map(({ gapMs, latencyMs, account }, id) => {
        at += gapMs;
        return exchange(id, at, latencyMs, account);
      });
      const events = await play(exchanges);
      const times = events.map((event) => ("tickMs" in event ? event.tickMs : event.draft.timeMs));
      assert.deepEqual(
        times,
        times.toSorted((a, b) => a - b),
      );
      const count = (kind: string): number => events.filter((event) => short(event).startsWith(kind)).length;
      assert.equal(count("open"), list.length);
      assert.equal(count("close"), list.length);
      if (list.length > 0) assert.ok("tickMs" in (events.at(-1) ?? {}));
    }),
  );
});

test("the heap gives the earliest end, ties in order of arrival", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20)), (ends) => {
      const pending = new Pending<number>();
      ends.forEach((endMs, order) => {
        pending.push(order, endMs);
      });
      const out: number[] = [];
      while (pending.size > 0) out.push(pending.pop() ?? -1);
      const expected = ends
        .map((endMs, order) => ({ endMs, order }))
        .sort((a, b) => a.endMs - b.endMs || a.order - b.order);
      assert.deepEqual(
        out,
        expected.map(({ order }) => order),
      );
      assert.equal(pending.nextEndMs, Number.POSITIVE_INFINITY);
    }),
  );
});
