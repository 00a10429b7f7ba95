// How fast, and with how much memory, features are stored and a whole hunt runs over them: the streamed big world.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setInterval } from "node:timers";
import { loadDetectors } from "../../src/detect/catalog.ts";
import { Watch } from "../../src/detect/hunt.ts";
import { Store } from "../../src/store/store.ts";
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
  /** A look right after, when no detector is due; a look in which all are due costs what the hunt costs. */
  readonly tickSeconds: number;
  /** Largest resident size of this process, which holds the engine, bytes. */
  readonly peakBytes: number;
  readonly storeBytes: number;
}

/** Virtual time between the hunt and the look after it: the analyst's default. */
const TICK_MS = 5_000;

/** Accounts grow with exchanges as in the largest published campaigns: 124,000 for 16 million. */
export async function runScale(exchanges: number, folder: string): Promise<ScaleResult> {
  const benign = Math.max(100, Math.round((exchanges * 100_000) / 16e6));
  const attackers = Math.max(24, Math.round((exchanges * 24_000) / 16e6));
  const storeFolder = join(folder, "stores", `scale-${exchanges}`);
  const store = await Store.openEmpty({ folder: storeFolder, queryTimeoutMs: 600_000 });
  let peakBytes = 0;
  const sampler = setInterval(() => {
    peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
  }, 50);
  try {
    const { lines, done } = streamWorld(exchanges, { benign, attackers });
    const filled = await fillOnThreads(store, piecesOf(lines));
    await done;
    const nowMs = filled.lastMs + 1;
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
    const tables = await store.tables();
    return {
      exchanges,
      accounts: benign + attackers,
      exchangesASecond: filled.exchanges / filled.seconds,
      cpuMicroseconds: (filled.cpuSeconds * 1e6) / filled.exchanges,
      hunt,
      huntSeconds: hunt.reduce((sum, one) => sum + one.seconds, 0),
      huntCpuSeconds: hunt.reduce((sum, one) => sum + one.cpuSeconds, 0),
      tickSeconds,
      peakBytes,
      storeBytes: tables.reduce((sum, table) => sum + table.bytes, 0),
    };
  } finally {
    clearInterval(sampler);
    await store.close();
    await rm(storeFolder, { recursive: true, force: true });
  }
}

export function printScale(results: readonly ScaleResult[]): void {
  for (const one of results) {
    console.log(
      `\n${one.exchanges} exchanges of ${one.accounts} accounts: ${Math.round(one.exchangesASecond)} a second derived and stored (${one.cpuMicroseconds.toFixed(0)} us of processor time each), hunt ${one.huntSeconds.toFixed(1)} s (${one.huntCpuSeconds.toFixed(1)} s of processor time), next tick ${one.tickSeconds.toFixed(3)} s, at most ${(one.peakBytes / 2 ** 30).toFixed(2)} GiB, ${(one.storeBytes / one.exchanges).toFixed(0)} bytes an exchange on disk`,
    );
    for (const { detector, seconds, cpuSeconds, findings, failure } of one.hunt) {
      const outcome = failure === "" ? `${findings} findings` : `did not finish: ${failure.slice(0, 200)}`;
      console.log(
        `  ${detector}: ${seconds.toFixed(2)} s, ${cpuSeconds.toFixed(2)} s of processor time, ${outcome}`,
      );
    }
  }
}
