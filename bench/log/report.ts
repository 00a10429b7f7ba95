// The log's figures as a table, held against what the project promises of them.
import type { Imported } from "./import.ts";
import type { Latency, Percentiles } from "./latency.ts";
import type { SealingStage } from "./sealing.ts";

/** What was measured; null or empty: not this time. */
export interface LogFigures {
  latency: Latency | null;
  sealing: readonly SealingStage[];
  imported: Imported | null;
}

export interface LogVerdict {
  readonly promise: string;
  readonly value: number;
  readonly bound: "at least" | "at most";
  readonly limit: number;
  readonly met: boolean;
}

/** How much more a record may cost at the largest size than at the smallest, and still count as flat. */
const FLAT = 1.3;

/** Promises for two cores that nobody else uses. */
export function judge({ latency, sealing, imported }: LogFigures): LogVerdict[] {
  const [first, last] = [sealing.at(0), sealing.at(-1)];
  const atMost = (promise: string, value: number, limit: number): LogVerdict => ({
    ...{ promise, value, bound: "at most", limit, met: value <= limit },
  });
  const atLeast = (promise: string, value: number, limit: number): LogVerdict => ({
    ...{ promise, value, bound: "at least", limit, met: value >= limit },
  });
  const verdicts: LogVerdict[] = [];
  if (latency !== null) {
    verdicts.push(atMost("append to durable, p99 ms", latency.durable.p99Ms, 50));
    verdicts.push(atMost("append to signed checkpoint, p99 ms", latency.checkpoint.p99Ms, 1_000));
  }
  if (imported !== null)
    verdicts.push(atLeast("import end to end, records/s", imported.recordsPerSecond, 10_000));
  if (first === undefined || last === undefined) return verdicts;
  return [
    ...verdicts,
    atLeast("sealed in process, records/s", last.seal.perSecond, 20_000),
    atMost("fsck of a million records (at the rate of the largest size), s", 1e6 / last.fsck.perSecond, 60),
    atMost(
      "sealing, CPU of a record: largest over smallest size",
      last.seal.cpuMicros / first.seal.cpuMicros,
      FLAT,
    ),
    atMost(
      "fsck, CPU of a record: largest over smallest size",
      last.fsck.cpuMicros / first.fsck.cpuMicros,
      FLAT,
    ),
  ];
}

const STAGE_HEAD = "leaves     append/s  CPU us   sealed/s  CPU us   fsck/s    CPU us   fsck of a million";

export function stageLine({ size, append, seal, fsck }: SealingStage): string {
  const costs = [append, seal, fsck].map(
    ({ perSecond, cpuMicros }) => `${perSecond.toFixed(0).padEnd(8)}  ${cpuMicros.toFixed(1).padEnd(7)}`,
  );
  return `${String(size).padEnd(9)}  ${costs.join("  ")}  ${(1e6 / fsck.perSecond).toFixed(0)} s`;
}

export function printFigures(
  { latency, sealing, imported }: LogFigures,
  verdicts: readonly LogVerdict[],
): void {
  const both = ({ p50Ms, p99Ms }: Percentiles): string =>
    `p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms`;
  if (latency !== null) {
    const { records, recordsPerSecond, durable, checkpoint } = latency;
    console.log(`${records} records at ${recordsPerSecond} a second, ledger in its own process`);
    console.log(`  append to durable            ${both(durable)}`);
    console.log(`  append to signed checkpoint  ${both(checkpoint)}\n`);
  }
  if (sealing.length > 0) console.log([STAGE_HEAD, ...sealing.map(stageLine), ""].join("\n"));
  if (imported !== null) {
    const { exchanges, records, seconds, recordsPerSecond } = imported;
    const rate = recordsPerSecond.toFixed(0);
    console.log(
      `import of ${exchanges} exchanges (${records} records): ${seconds.toFixed(1)} s, ${rate} records/s\n`,
    );
  }
  console.log(
    "CPU is that of all threads of this process; on a shared machine it tells more than the rates.\n",
  );
  for (const { promise, value, bound, limit, met } of verdicts)
    console.log(`${met ? "met   " : "MISSED"}  ${promise}: ${value.toFixed(2)} (${bound} ${limit})`);
}
