// How fast, and with how much memory, features are stored and a whole hunt runs over them: the streamed big world.
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setInterval } from "node:timers";
import { z } from "zod";
import { loadDetectors } from "../../src/detect/catalog.ts";
import { FEATURE_VERSION } from "../../src/detect/features/rows.ts";
import { Watch } from "../../src/detect/hunt.ts";
import { Store } from "../../src/store/store.ts";
import { type Beside, ticksBeside } from "./beside.ts";
import { fillOnThreads, piecesOf } from "./fill-threads.ts";
import { streamWorld } from "./worlds.ts";

export interface ScaleResult {
  readonly exchanges: number;
  readonly accounts: number;
  readonly exchangesASecond: number;
  /** Processor time of all threads from the line to the stored row. */
  readonly cpuMicroseconds: number;
  readonly hunt: readonly {
    readonly detector: string;
    readonly seconds: number;
    readonly cpuSeconds: number;
    readonly findings: number;
    /** Why it did not finish, or "". */
    readonly failure: string;
  }[];
  readonly huntSeconds: number;
  readonly huntCpuSeconds: number;
  /** A look right after, when no detector is due. */
  readonly tickSeconds: number;
  /** Ticks while all detectors run again. */
  readonly beside: Beside;
  /** Largest resident size of this process, which holds the engine, bytes. */
  readonly peakBytes: number;
  readonly storeBytes: number;
}

/** Virtual time between the hunt and the look after it: the analyst's default. */
const TICK_MS = 5_000;

const filledStore = z.object({
  featureVersion: z.number(),
  exchangesASecond: z.number(),
  cpuMicroseconds: z.number(),
  lastMs: z.number(),
});

/** Accounts grow with exchanges as in the largest published campaigns: 124,000 for 16 million. */
function accountsFor(exchanges: number): { readonly benign: number; readonly attackers: number } {
  return {
    benign: Math.max(100, Math.round((exchanges * 100_000) / 16e6)),
    attackers: Math.max(24, Math.round((exchanges * 24_000) / 16e6)),
  };
}

/**
 * The streamed world in a store, and what that took. With `keep` the store of an earlier run is taken as it is, if it
 * was filled by the same version of the features.
 */
async function filled(
  folder: string,
  { exchanges, keep }: { readonly exchanges: number; readonly keep: boolean },
): Promise<{ readonly store: Store; readonly facts: z.infer<typeof filledStore> }> {
  const options = { folder, queryTimeoutMs: 600_000 };
  const note = `${folder}.json`;
  const text = keep ? await readFile(note, "utf8").catch(() => null) : null;
  const known = text === null ? null : filledStore.parse(JSON.parse(text));
  if (known?.featureVersion === FEATURE_VERSION) return { store: await Store.open(options), facts: known };
  const store = await Store.openEmpty(options);
  const { lines, done } = streamWorld(exchanges, accountsFor(exchanges));
  const made = await fillOnThreads(store, piecesOf(lines));
  await done;
  const facts = {
    featureVersion: FEATURE_VERSION,
    exchangesASecond: made.exchanges / made.seconds,
    cpuMicroseconds: (made.cpuSeconds * 1e6) / made.exchanges,
    lastMs: made.lastMs,
  };
  if (keep) await writeFile(note, JSON.stringify(facts));
  return { store, facts };
}

/** @param keep the filled store stays below `folder`, for another hunt over it */
export async function runScale(exchanges: number, folder: string, keep: boolean): Promise<ScaleResult> {
  const storeFolder = join(folder, "stores", `scale-${exchanges}`);
  const { store, facts } = await filled(storeFolder, { exchanges, keep });
  let peakBytes = 0;
  const sampler = setInterval(() => {
    peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
  }, 50);
  try {
    const nowMs = facts.lastMs + 1;
    const hunt = [];
    const watches = [];
    for (const detector of await loadDetectors()) {
      const watch = new Watch({ store, detectors: [{ ...detector, timeoutMs: 600_000 }] });
      watches.push(watch);
      const beganMs = performance.now();
      const before = process.cpuUsage();
      const { findings, failures } = await watch.look(nowMs);
      const { user, system } = process.cpuUsage(before);
      hunt.push({
        detector: detector.id,
        seconds: (performance.now() - beganMs) / 1000,
        cpuSeconds: (user + system) / 1e6,
        findings: findings.length,
        failure: failures.map(({ error }) => String(error.cause ?? error)).join("; "),
      });
    }
    const beganMs = performance.now();
    for (const watch of watches) await watch.look(nowMs + TICK_MS);
    const tickSeconds = (performance.now() - beganMs) / 1000;
    const beside = await ticksBeside(store, watches, nowMs + TICK_MS);
    const tables = await store.tables();
    const accounts = accountsFor(exchanges);
    return {
      exchanges,
      accounts: accounts.benign + accounts.attackers,
      exchangesASecond: facts.exchangesASecond,
      cpuMicroseconds: facts.cpuMicroseconds,
      hunt,
      huntSeconds: hunt.reduce((sum, one) => sum + one.seconds, 0),
      huntCpuSeconds: hunt.reduce((sum, one) => sum + one.cpuSeconds, 0),
      tickSeconds,
      beside,
      peakBytes,
      storeBytes: tables.reduce((sum, table) => sum + table.bytes, 0),
    };
  } finally {
    clearInterval(sampler);
    await store.close();
    if (!keep) await rm(storeFolder, { recursive: true, force: true });
  }
}

export function printScale(results: readonly ScaleResult[]): void {
  for (const one of results) {
    console.log(
      `\n${one.exchanges} exchanges of ${one.accounts} accounts: ${Math.round(one.exchangesASecond)} a second derived and stored (${one.cpuMicroseconds.toFixed(0)} us of processor time each), hunt ${one.huntSeconds.toFixed(1)} s (${one.huntCpuSeconds.toFixed(1)} s of processor time), next tick ${one.tickSeconds.toFixed(3)} s, largest of ${one.beside.ticks} ticks while all detectors ran again for ${one.beside.runSeconds.toFixed(1)} s and ${one.beside.rowsInserted} rows were inserted ${one.beside.slowestTickSeconds.toFixed(3)} s, at most ${(one.peakBytes / 2 ** 30).toFixed(2)} GiB, ${(one.storeBytes / one.exchanges).toFixed(0)} bytes an exchange on disk`,
    );
    for (const { detector, seconds, cpuSeconds, findings, failure } of one.hunt) {
      const outcome = failure === "" ? `${findings} findings` : `did not finish: ${failure.slice(0, 200)}`;
      console.log(
        `  ${detector}: ${seconds.toFixed(2)} s, ${cpuSeconds.toFixed(2)} s of processor time, ${outcome}`,
      );
    }
  }
}
