// Appending as fast as it goes, sealing in this process, and fsck, at growing sizes: the cost of a record must stay flat.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fsck } from "../../src/log/fsck.ts";
import { Keyring } from "../../src/log/keyring.ts";
import { Ledger } from "../../src/log/ledger.ts";
import { LogWriter } from "../../src/log/writer.ts";
import { draftOf } from "./traffic.ts";

/** The smallest size that is told of; before it as much again is a warm-up. */
const SMALLEST = 10_000;
const MAX_QUEUED_BYTES = 4 * 1024 * 1024;
/** Records made before the clock starts, at once. */
const CHUNK = 5_000;

/** What one kind of work cost a record. */
export interface Cost {
  readonly perSecond: number;
  readonly cpuMicros: number;
}

export interface SealingStage {
  /** Leaves of the log after it. */
  readonly size: number;
  /** Records appended and sealed in it. */
  readonly records: number;
  readonly append: Cost;
  readonly seal: Cost;
  /** Of the whole log. */
  readonly fsck: Cost;
}

/** Sizes that are measured: a warm-up, ten thousand, ten times as many again and again, and `records`. */
function sizesUpTo(records: number): number[] {
  const sizes = [SMALLEST];
  for (let size = 2 * SMALLEST; size < records; size = size === 2 * SMALLEST ? 100_000 : size * 10)
    sizes.push(size);
  return [...sizes, Math.max(Math.round(records / 2) * 2, 2 * SMALLEST)];
}

export async function measureSealing(
  records: number,
  onStage: (stage: SealingStage) => void = () => {},
): Promise<SealingStage[]> {
  const folder = mkdtempSync(join(tmpdir(), "adyton-bench-log-"));
  const keys = await Keyring.open({ folder });
  const writer = await LogWriter.open({ folder, writer: "gateway-0", keys });
  const ledger = await Ledger.open({ folder, keys });
  const stages: SealingStage[] = [];
  try {
    let size = 0;
    for (const goal of sizesUpTo(records)) {
      const added = goal - size;
      const append = new Meter();
      const seal = new Meter();
      for (; size < goal; size += CHUNK) {
        const drafts = Array.from({ length: Math.min(CHUNK, goal - size) }, (_, at) => draftOf(size + at));
        await append.measure(drafts.length, async () => {
          let last = Promise.resolve();
          for (const draft of drafts) {
            last = writer.append(draft).durable;
            if (writer.queuedBytes > MAX_QUEUED_BYTES) await last;
          }
          await last;
        });
        await seal.measure(drafts.length, async () => {
          while ((await ledger.step()).sealed > 0);
        });
      }
      size = goal;
      const check = new Meter();
      await check.measure(goal, async () => {
        const { ok, size: checked } = await fsck({ folder, keys });
        if (!ok || checked !== goal)
          throw new Error(`expected a sound log of ${goal} leaves, got ${checked}`);
      });
      const costs = { append: append.cost, seal: seal.cost, fsck: check.cost };
      const stage = { size: goal, records: added, ...costs };
      stages.push(stage);
      onStage(stage);
    }
    return stages.slice(1);
  } finally {
    await writer.close();
    ledger.close();
    keys.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

class Meter {
  #records = 0;
  #seconds = 0;
  #cpuMicros = 0;

  async measure(records: number, work: () => Promise<void>): Promise<void> {
    const startMs = performance.now();
    const cpu = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(cpu);
    this.#records += records;
    this.#seconds += (performance.now() - startMs) / 1_000;
    this.#cpuMicros += user + system;
  }

  get cost(): Cost {
    return {
      perSecond: this.#records / this.#seconds,
      cpuMicros: this.#cpuMicros / this.#records,
    };
  }
}
