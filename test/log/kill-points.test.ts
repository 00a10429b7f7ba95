// The ledger and a writer stop dead at every single call of their disk: what was acknowledged is sealed, once, and fsck is clean.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type Disk, NODE_DISK } from "../../src/log/disk.ts";
import { fsck } from "../../src/log/fsck.ts";
import { allRecords, bench, close, exchanges, open, sealAll } from "./helper.ts";

/** Rounds after which every call must have had its turn. */
const MAX_ROUNDS = 400;
/** A step takes more calls than these when a bundle becomes full. */
const FEWEST_CALLS = 60;
/** Real kills, at calls spread over the ledger's start and its steps. */
const REAL_KILLS: readonly number[] = [3, 15, 27, 33, 41, 52];

class Death extends Error {}

/** The disk of a process that ends at call `at`: neither that call nor any later one reaches the file system. */
class DyingDisk {
  readonly disk: Disk;
  readonly #files: Set<number> = new Set();
  calls = 0;

  constructor(at: number) {
    this.disk = new Proxy(NODE_DISK, {
      get: (target, name: keyof Disk) => {
        const call = target[name] as (...args: unknown[]) => unknown;
        return (...args: unknown[]) => {
          this.calls += 1;
          if (this.calls < at) return this.#note(name, args, call(...args));
          const death = new Death(`at call ${at}: ${name}`);
          if (name === "write") throw death;
          return Promise.reject(death);
        };
      },
    });
  }

  #note(name: keyof Disk, args: unknown[], result: unknown): unknown {
    if (name === "close") this.#files.delete(args[0] as number);
    if (name !== "open") return result;
    return (result as Promise<number>).then((file) => {
      this.#files.add(file);
      return file;
    });
  }

  /** What the system does with the files of a process that is gone. */
  bury(): void {
    for (const file of this.#files) closeSync(file);
    this.#files.clear();
  }
}

test("the ledger dies at each call of its start and of a step", { timeout: 300_000 }, async (t) => {
  const { writer, ledger, log, folder, keys } = await bench(t);
  const w = await writer();
  let written = 0;
  let deaths = 0;
  for (let at = 1, survived = false; at < MAX_ROUNDS && !survived; at++) {
    const more = at % 12 === 0 ? 140 : 2; // now and then a bundle becomes full
    await exchanges(w, written, written + more, 30);
    written += more;
    const dying = new DyingDisk(at);
    const l = await ledger({ disk: dying.disk }).catch(() => null);
    const died =
      l === null ||
      (await l.step().then(
        () => false,
        () => true,
      ));
    l?.close();
    dying.bury();
    assert.equal(died, dying.calls >= at, `call ${at}`);
    deaths += died ? 1 : 0;
    survived = !died && at > FEWEST_CALLS;
    const next = await ledger();
    await sealAll(next);
    next.close();
  }
  assert.ok(deaths >= FEWEST_CALLS / 2, `expected a death at many calls, got ${deaths}`);
  await w.close();
  const l = await ledger();
  await sealAll(l);
  l.close();
  const reader = await log();
  const sequences = (await allRecords(reader)).map(({ leaf }) => leaf.seq);
  assert.deepEqual(
    sequences,
    Array.from({ length: written * 2 }, (_, i) => i),
  );
  reader.close();
  assert.deepEqual((await fsck({ folder, keys })).problems, []);
});

test("a writer dies at each call of its start, of appending and of changing segments", {
  timeout: 300_000,
}, async (t) => {
  const { writer, ledger, log, folder, keys } = await bench(t);
  const acknowledged = new Set<string>();
  let deaths = 0;
  for (let at = 1, survived = false; at < MAX_ROUNDS && !survived; at++) {
    const dying = new DyingDisk(at);
    const w = await writer({
      writer: `w-${at}`,
      segmentBytes: 8_192,
      disk: dying.disk,
      recoverEveryMs: 0,
    }).catch(() => null);
    for (let n = 0; n < 12 && w?.healthy === true; n++) {
      const id = `${at}-${n}`;
      const draft = n % 2 === 0 ? open(id, "q".repeat(1_500)) : close(`${at}-${n - 1}`, "a".repeat(1_500));
      await w.append(draft).durable.then(
        () => acknowledged.add(n % 2 === 0 ? `open ${id}` : `close ${at}-${n - 1}`),
        () => {},
      );
    }
    await w?.close().catch(() => {});
    dying.bury();
    deaths += dying.calls >= at ? 1 : 0;
    survived = dying.calls < at;
  }
  assert.ok(deaths > 15, `expected a death at many calls, got ${deaths}`);
  assert.ok(acknowledged.size > 50);
  const l = await ledger();
  await sealAll(l);
  l.close();
  const reader = await log();
  const sealed = new Map<string, number>();
  for (const { leaf } of await allRecords(reader)) {
    const name = `${leaf.kind} ${leaf.exchange}`;
    sealed.set(name, (sealed.get(name) ?? 0) + 1);
  }
  for (const name of acknowledged) assert.equal(sealed.get(name), 1, name);
  reader.close();
  assert.deepEqual((await fsck({ folder, keys })).problems, []);
});

test("a ledger that is really killed at some of these calls", { timeout: 300_000 }, async (t) => {
  const { writer, ledger, log, folder, keys } = await bench(t);
  const w = await writer();
  let written = 0;
  for (const at of REAL_KILLS) {
    await exchanges(w, written, written + 70, 30);
    written += 70;
    const program = join(import.meta.dirname, "crash-child.ts");
    const args = [program, "ledger-until", folder, String(at)];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
    const [, signal] = (await once(child, "exit")) as [number | null, string | null];
    assert.equal(signal, "SIGKILL", `call ${at}`);
  }
  await w.close();
  const l = await ledger();
  await sealAll(l);
  l.close();
  const reader = await log();
  assert.equal(await reader.size(), written * 2);
  reader.close();
  assert.deepEqual((await fsck({ folder, keys })).problems, []);
});
