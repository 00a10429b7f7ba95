// How long a record takes to be durable, and to be covered by a signed checkpoint, with the ledger in its own process.
import { fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Keyring } from "../../src/log/keyring.ts";
import { SealedLog } from "../../src/log/sealed-log.ts";
import { LogWriter } from "../../src/log/writer.ts";
import { draftOf } from "./traffic.ts";

const RECORDS_PER_SECOND = 2_000;
const POLL_MS = 5;
/** Records before the measurement, so that code is compiled and keys are made. */
const WARM_UP = 4_000;
const LEDGER = fileURLToPath(new URL("../gateway/adyton-ledger.ts", import.meta.url));

export interface Percentiles {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface Latency {
  readonly records: number;
  readonly recordsPerSecond: number;
  readonly durable: Percentiles;
  readonly checkpoint: Percentiles;
}

export async function measureLatency(seconds: number): Promise<Latency> {
  const folder = mkdtempSync(join(tmpdir(), "adyton-bench-log-"));
  const keys = await Keyring.open({ folder });
  const writer = await LogWriter.open({ folder, writer: "gateway-0", keys });
  const ledger = fork(LEDGER, [folder], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const gone = new Promise((resolve) => ledger.once("exit", resolve));
  const log = await SealedLog.open({ folder, keys });
  try {
    for (let index = 0; index < WARM_UP; index += 1) await writer.append(draftOf(index)).durable;
    while ((await log.size()) < WARM_UP) await sleep(POLL_MS);
    return await paced(writer, log, Math.round(seconds * RECORDS_PER_SECOND));
  } finally {
    ledger.kill("SIGTERM");
    await gone;
    await writer.close();
    log.close();
    keys.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Open loop: a record counts from the moment it was due, so that a stall is charged to all that wait behind it. */
async function paced(writer: LogWriter, log: SealedLog, records: number): Promise<Latency> {
  const durable: number[] = [];
  const checkpoint: number[] = [];
  const startMs = performance.now();
  const dueMs = (index: number): number => startMs + (index * 1_000) / RECORDS_PER_SECOND;
  let appended = 0;
  const pending: Promise<void>[] = [];
  while (checkpoint.length < records) {
    for (; appended < records && dueMs(appended) <= performance.now(); appended += 1) {
      const due = dueMs(appended);
      const done = writer.append(draftOf(WARM_UP + appended)).durable;
      pending.push(done.then(() => void durable.push(performance.now() - due)));
    }
    // One writer: its records are leaves in the order they were appended.
    const covered = Math.min(appended, (await log.size()) - WARM_UP);
    for (const nowMs = performance.now(); checkpoint.length < covered; )
      checkpoint.push(nowMs - dueMs(checkpoint.length));
    await sleep(POLL_MS);
  }
  await Promise.all(pending);
  return {
    records,
    recordsPerSecond: RECORDS_PER_SECOND,
    durable: percentiles(durable),
    checkpoint: percentiles(checkpoint),
  };
}

function percentiles(values: number[]): Percentiles {
  values.sort((a, b) => a - b);
  const at = (share: number): number => values[Math.floor(values.length * share)] ?? Number.NaN;
  return { p50Ms: at(0.5), p99Ms: at(0.99) };
}
