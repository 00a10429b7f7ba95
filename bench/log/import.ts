// A whole import as a user runs it: the command, from a file into log and store.
import { spawnSync } from "node:child_process";
import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { lineOf } from "./traffic.ts";

const COMMAND = fileURLToPath(new URL("../../bin/adyton.mjs", import.meta.url));
const TIMEOUT_MS = 600_000;
const LINES_AT_ONCE = 10_000;

export interface Imported {
  readonly exchanges: number;
  readonly records: number;
  /** As the command tells it: from opening the folder until everything is in the store. */
  readonly seconds: number;
  readonly recordsPerSecond: number;
}

export function measureImport(exchanges: number): Imported {
  const folder = mkdtempSync(join(tmpdir(), "adyton-bench-log-"));
  try {
    const file = join(folder, "exchanges.jsonl");
    for (let from = 0; from < exchanges; from += LINES_AT_ONCE) {
      const length = Math.min(LINES_AT_ONCE, exchanges - from);
      appendFileSync(file, Array.from({ length }, (_, at) => `${lineOf(from + at)}\n`).join(""));
    }
    const done = spawnSync(
      process.execPath,
      [COMMAND, "--data", join(folder, "data"), "import", "exchanges", file, "--json"],
      { encoding: "utf8", timeout: TIMEOUT_MS },
    );
    if (done.status !== 0) throw new Error(`expected the import to work, got ${done.status}: ${done.stderr}`);
    const summary: { exchanges: number; records: number; seconds: number } = JSON.parse(done.stdout);
    if (summary.exchanges !== exchanges)
      throw new Error(`expected ${exchanges} exchanges, got ${summary.exchanges}`);
    const { records, seconds } = summary;
    return { exchanges, records, seconds, recordsPerSecond: records / seconds };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
