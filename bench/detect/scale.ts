// How fast, and with how much memory, features are stored and a whole hunt runs over them: the streamed big world.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { setInterval } from "node:timers";
import { loadDetectors } from "../../src/detect/catalog.ts";
import { DEFAULT_LEVEL } from "../../src/detect/hunt.ts";
import { runDetector } from "../../src/detect/run-detector.ts";
import { Store } from "../../src/store/store.ts";
import { fill, linesOf } from "./fill.ts";
import { streamWorld } from "./worlds.ts";

export interface ScaleResult {
  readonly exchanges: number;
  readonly accounts: number;
  readonly exchangesASecond: number;
  /** Processor time of all threads from the line to the stored row; and of it, what this thread took by the clock. */
  readonly cpuMicroseconds: number;
  readonly deriveMicroseconds: number;
  readonly hunt: readonly {
    readonly detector: string;
    readonly seconds: number;
    readonly findings: number;
  }[];
  readonly huntSeconds: number;
  /** Largest resident size of this process, which holds the engine, bytes. */
  readonly peakBytes: number;
  readonly storeBytes: number;
}

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
    const before = process.cpuUsage();
    const filled = await fill(store, { exchanges: linesOf(lines), accounts: null });
    const { user, system } = process.cpuUsage(before);
    await done;
    const hunt = [];
    for (const detector of await loadDetectors()) {
      const beganMs = performance.now();
      const patient = { ...detector, timeoutMs: 600_000 };
      const found = await runDetector(store, patient, { nowMs: filled.lastMs + 1, level: DEFAULT_LEVEL });
      hunt.push({
        detector: detector.id,
        seconds: (performance.now() - beganMs) / 1000,
        findings: found.length,
      });
    }
    const tables = await store.tables();
    return {
      exchanges,
      accounts: benign + attackers,
      exchangesASecond: filled.exchanges / filled.seconds,
      cpuMicroseconds: (user + system) / filled.exchanges,
      deriveMicroseconds: (filled.deriveSeconds * 1e6) / filled.exchanges,
      hunt,
      huntSeconds: hunt.reduce((sum, one) => sum + one.seconds, 0),
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
      `\n${one.exchanges} exchanges of ${one.accounts} accounts: ${Math.round(one.exchangesASecond)} a second stored (${one.cpuMicroseconds.toFixed(0)} us of processor time each, ${one.deriveMicroseconds.toFixed(0)} us to parse and derive by the clock), hunt ${one.huntSeconds.toFixed(1)} s, at most ${(one.peakBytes / 2 ** 30).toFixed(2)} GiB, ${(one.storeBytes / one.exchanges).toFixed(0)} bytes an exchange on disk`,
    );
    for (const { detector, seconds, findings } of one.hunt) {
      console.log(`  ${detector}: ${seconds.toFixed(2)} s, ${findings} findings`);
    }
  }
}
