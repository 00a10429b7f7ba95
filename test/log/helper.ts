// A log in a temporary folder, for the tests of the log.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { RecordDraft } from "../../src/core/record.ts";
import type { Disk } from "../../src/log/disk.ts";
import { Keyring } from "../../src/log/keyring.ts";
import { Ledger, type LedgerOptions } from "../../src/log/ledger.ts";
import { SealedLog, type SealedRecord } from "../../src/log/sealed-log.ts";
import { LogWriter, type LogWriterOptions } from "../../src/log/writer.ts";

export const SMALL_SEGMENT: number = 64 * 1024;

export interface Bench {
  readonly folder: string;
  readonly keys: Keyring;
  writer(options?: Partial<LogWriterOptions>): Promise<LogWriter>;
  ledger(options?: Partial<LedgerOptions>): Promise<Ledger>;
  log(): Promise<SealedLog>;
}

/** Folder and keys; everything is closed and removed when the test ends. */
export async function bench(t: TestContext): Promise<Bench> {
  const folder = await mkdtemp(join(tmpdir(), "adyton-log-"));
  const keys = await Keyring.open({ folder });
  const writers: LogWriter[] = [];
  t.after(async () => {
    // A writer makes its next segment by itself: while one is open, its folder can't be relied on to stay empty.
    await Promise.allSettled(writers.map((writer) => writer.close()));
    keys.close();
    await rm(folder, { recursive: true, force: true });
  });
  return {
    folder,
    keys,
    writer: async (options) => {
      const writer = await LogWriter.open({
        ...{ folder, keys, writer: "gateway-0", segmentBytes: SMALL_SEGMENT },
        ...options,
      });
      writers.push(writer);
      return writer;
    },
    ledger: (options) => Ledger.open({ folder, keys, ...options }),
    log: () => SealedLog.open({ folder, keys }),
  };
}

export function open(exchange: string, request = "question", account = "acme"): RecordDraft {
  const fields = [Buffer.from(request), Buffer.from("[]"), Buffer.from("{}")] as const;
  return { kind: "open", exchange, account, timeMs: 1_700_000_000_000, fields };
}

export function close(exchange: string, response = "answer", account = "acme"): RecordDraft {
  const fields = [Buffer.from(response), Buffer.from("[]"), Buffer.from("{}")] as const;
  return { kind: "close", exchange, account, timeMs: 1_700_000_000_500, fields };
}

export function act(name: string, account: string | null = null): RecordDraft {
  return {
    kind: "act",
    act: name,
    account,
    timeMs: 1_700_000_000_900,
    fields: [Buffer.from('{"why":"test"}')],
  };
}

/** Writes exchanges and waits until they are durable. */
export async function exchanges(writer: LogWriter, from: number, to: number, bytes = 20): Promise<void> {
  let last = Promise.resolve();
  for (let i = from; i < to; i++) {
    writer.append(open(`ex-${i}`, "q".repeat(bytes), `account-${i % 5}`));
    last = writer.append(close(`ex-${i}`, "a".repeat(bytes), `account-${i % 5}`)).durable;
  }
  await last;
}

/** Steps until nothing is left. */
export async function sealAll(ledger: Ledger): Promise<number> {
  let sealed = 0;
  for (;;) {
    const step = await ledger.step();
    sealed += step.sealed;
    if (step.sealed === 0 && !step.more) return sealed;
  }
}

export async function allRecords(log: SealedLog): Promise<SealedRecord[]> {
  const records: SealedRecord[] = [];
  for await (const record of log.records(0, Number.MAX_SAFE_INTEGER)) records.push(record);
  return records;
}

/** A disk that fails: `shouldFail` is asked before each call. */
export function failingDisk(disk: Disk, shouldFail: (call: keyof Disk, path: unknown) => Error | null): Disk {
  return new Proxy(disk, {
    get: (target, name: keyof Disk) => {
      const call = target[name] as (...args: unknown[]) => unknown;
      return (...args: unknown[]) => {
        const error = shouldFail(name, args[0]);
        if (error === null) return call(...args);
        if (name === "write") throw error;
        return Promise.reject(error);
      };
    },
  });
}

export function diskFailure(code: "EIO" | "ENOSPC"): Error {
  return Object.assign(new Error(`${code}: injected`), { code });
}
