// Measures how long a decision takes to hold on a gateway: over the poll of one machine, and over Redis between two.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { connectRedis, hearNews, isReady, tellNews } from "../../src/state/redis.ts";
import { State } from "../../src/state/state.ts";
import { VerdictTable } from "../../src/state/verdict-table.ts";
import { startRedis } from "../../test/helpers/redis.ts";

const DECISIONS = 40;
const POLL_MS = 200;
const LOOK_MS = 2;

/** Milliseconds from the committed decision to the moment at which the slowest table enforces it. */
export interface Propagation {
  readonly decisions: number;
  readonly poll: Percentiles;
  /** Polls every second, and is told over Redis. */
  readonly redis: Percentiles;
}

interface Percentiles {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export async function measurePropagation(): Promise<Propagation> {
  const poll = await measure(POLL_MS, async () => {});
  const server = await startRedis();
  const options = {
    config: { url: server.url, password: null, timeoutMs: 30_000 },
    readSecret: async () => "",
    onLost: () => {},
  };
  const publisher = await connectRedis(options);
  try {
    await isReady(publisher, 30_000);
    const redis = await measure(1000, () => tellNews(publisher), options);
    return { decisions: DECISIONS, poll, redis };
  } finally {
    publisher.disconnect();
    await server.close();
  }
}

async function measure(
  refreshMs: number,
  changed: () => Promise<void>,
  news?: Parameters<typeof hearNews>[0],
): Promise<Percentiles> {
  const folder = await mkdtemp(join(tmpdir(), "adyton-propagation-"));
  const state = await State.open({ folder });
  const tables = [
    await VerdictTable.open(state, { refreshMs }),
    await VerdictTable.open(state, { refreshMs }),
  ];
  const subscribers = [];
  if (news !== undefined) {
    for (const table of tables) subscribers.push(await hearNews(news, () => void table.refreshAfterNews()));
    for (const subscriber of subscribers) await isReady(subscriber, 30_000);
  }
  const tookMs: number[] = [];
  try {
    for (let count = 0; count < DECISIONS; count += 1) {
      const account = `acct_${count}`;
      const { id } = await state.verdicts.propose({
        ...{
          measure: "quarantine",
          reason: "unusual-use",
          shadow: false,
          lifeMs: 3_600_000,
          inheritLimit: 0,
        },
        ...{ accounts: [account], by: "bench" },
      });
      await state.verdicts.approve(id, { by: "bench", note: "measured", effectiveMs: 0 });
      const decidedMs = performance.now();
      await changed();
      while (tables.some((table) => table.of(account) === null)) await sleep(LOOK_MS);
      tookMs.push(performance.now() - decidedMs);
    }
  } finally {
    for (const subscriber of subscribers) subscriber.disconnect();
    for (const table of tables) table.close();
    await state.close();
    await rm(folder, { recursive: true, force: true });
  }
  return percentiles(tookMs);
}

function percentiles(values: number[]): Percentiles {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}
