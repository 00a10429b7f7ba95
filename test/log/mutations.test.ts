// Ten thousand random changes to a log's files: each is found, for the right reason, and none makes fsck fall over.
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { crc32 } from "node:zlib";
import { concatBytes } from "../../src/core/bytes.ts";
import { formatNote, parseNote } from "../../src/core/note.ts";
import { decodeBundle, encodeBundle } from "../../src/core/tiles.ts";
import { ED25519_COSIGNATURE, type VerifierKey } from "../../src/core/verifier-key.ts";
import { PACK_HEADER_BYTES } from "../../src/log/content-pack.ts";
import { type Disk, NODE_DISK } from "../../src/log/disk.ts";
import { fsck } from "../../src/log/fsck.ts";
import type { FsckProblem } from "../../src/log/fsck-report.ts";
import type { Keyring } from "../../src/log/keyring.ts";
import { testSigner } from "../helpers/note-signer.ts";
import { bench, exchanges, sealAll } from "./helper.ts";

type Files = ReadonlyMap<string, Buffer>;
type Code = FsckProblem["code"];

/** A disk that only has these files. */
function memoryDisk(files: Files): Disk {
  const opened: Buffer[] = [];
  const refuse = (): never => {
    throw new Error("expected fsck to read only");
  };
  return {
    ...NODE_DISK,
    readFile: async (path) => files.get(path) ?? null,
    size: async (path) => files.get(path)?.length ?? null,
    open: async (path) => opened.push(files.get(path) ?? refuse()) - 1,
    read: async (file, target, position) => {
      const source = opened[file] ?? Buffer.alloc(0);
      return position >= source.length ? 0 : source.copy(target, 0, position);
    },
    close: async () => {},
    list: async (folder) =>
      [...files.keys()]
        .filter((path) => path.startsWith(`${folder}/`))
        .map((path) => path.slice(folder.length + 1)),
    write: refuse,
    rename: refuse,
    remove: refuse,
  };
}

/** Numbers that are the same in every run (mulberry32). */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (((t ^ (t >>> 14)) >>> 0) % 0x1_0000_0000) % below;
  };
}

interface Victim {
  readonly folder: string;
  readonly keys: Keyring;
  readonly witnesses: readonly VerifierKey[];
  readonly files: Files;
  /** The cosigned head, which most changes can be judged without. */
  readonly cosigned: readonly [path: string, bytes: Buffer];
  /** An older signed checkpoint of the same log. */
  readonly older: Buffer;
}

/** A sealed log of `count` exchanges whose newest checkpoint a witness cosigned, in memory. */
async function victim(t: TestContext, count: number): Promise<Victim> {
  const { writer, ledger, folder, keys } = await bench(t);
  const w = await writer();
  const l = await ledger();
  await exchanges(w, 0, count - 2, 40);
  await sealAll(l);
  const older = await readFile(join(folder, "log", "checkpoint"));
  await exchanges(w, count - 2, count, 40);
  await w.close();
  await sealAll(l);
  const note = parseNote(await readFile(join(folder, "log", "checkpoint")));
  assert.ok(!("fault" in note));
  const witness = testSigner("w.example", ED25519_COSIGNATURE);
  await l.addCosignatures(formatNote(note.text, [...note.signatures, witness.sign(note.text)]), {
    quorum: true,
  });
  l.close();
  const files = new Map<string, Buffer>();
  const width = String((2 * count) % 256);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const isOld = entry.parentPath.endsWith(".p") && /\/(entries|0)\//.test(path) && entry.name !== width;
    if (entry.isFile() && /\/(log|content)\/|state\.json$/.test(path) && !isOld)
      files.set(path, await readFile(path));
  }
  const path = join(folder, "log", "checkpoint.cosigned");
  const cosigned = [path, files.get(path) ?? Buffer.alloc(0)] as const;
  files.delete(path);
  // A line that no known key signed is nobody's: the witness's stays in the cosigned head alone.
  files.set(join(folder, "log", "checkpoint"), Buffer.from(formatNote(note.text, note.signatures)));
  return { folder, keys, witnesses: [witness.key], files, cosigned, older };
}

interface Mutation {
  readonly files: Files;
  /** One of these must be among the reasons. */
  readonly codes: readonly Code[];
  readonly what: string;
}

const SIGNED: readonly Code[] = ["checkpoint", "signature", "root"];

function codesOf(path: string): readonly Code[] {
  if (path.includes("/content/")) return ["pack", "digest", "key", "ciphertext", "commitment"];
  if (path.includes("/entries/")) return ["leaf", "bundle", "tile", "root"];
  if (path.includes("/tile/")) return ["tile"];
  return path.endsWith("state.json") ? ["state"] : SIGNED;
}

const pick = <T>(next: (below: number) => number, from: readonly T[]): T => from[next(from.length)] as T;

/** Bits flipped, bytes put in or taken out, the file cut or replaced by noise. */
function bytes({ files }: Victim, next: (below: number) => number): Mutation {
  const path = pick(next, [...files.keys()]);
  const good = files.get(path) ?? Buffer.alloc(0);
  const at = next(good.length);
  const kind = next(5);
  const changed = Buffer.from(good);
  changed[at] = (changed[at] ?? 0) ^ (1 << next(8));
  const results = [
    changed,
    Buffer.concat([good.subarray(0, at), Buffer.of(next(256)), good.subarray(at)]),
    Buffer.concat([good.subarray(0, at), good.subarray(at + 1)]),
    good.subarray(0, at),
    Buffer.from(Array.from({ length: at + 1 }, () => next(256))),
  ];
  const bad = results[kind] ?? changed;
  // Bytes behind the last record of a pack are what a crash leaves there: nobody reads them.
  const isTail = path.includes("/content/") && bad.subarray(0, good.length).equals(good);
  return isTail
    ? bytes({ files } as Victim, next)
    : { files: new Map(files).set(path, bad), codes: codesOf(path), what: `${kind} in ${path} at ${at}` };
}

/** A record left out, one that stands twice, two that changed places; with or without the tiles made to fit. */
function entries({ files }: Victim, next: (below: number) => number): Mutation {
  const path = pick(
    next,
    [...files.keys()].filter((name) => name.includes("/entries/")),
  );
  const list = (decodeBundle(files.get(path) ?? Buffer.alloc(0)) ?? []).map((entry) => entry.bytes);
  const [a, b] = [next(list.length), next(list.length - 1)];
  const other = b >= a ? b + 1 : b;
  const changed = [...list];
  const kind = next(3);
  if (kind === 0) changed.splice(a, 1);
  else if (kind === 1) changed[a] = list[other] ?? list[0] ?? new Uint8Array();
  else [changed[a], changed[other]] = [list[other] ?? new Uint8Array(), list[a] ?? new Uint8Array()];
  const codes: Code[] = ["bundle", "leaf", "tile", "root", "sequence"];
  return {
    files: new Map(files).set(path, Buffer.from(encodeBundle(changed))),
    codes,
    what: `entries ${kind} ${a} ${other}`,
  };
}

/** Key id and nonce of two records in a pack exchanged, with right checksums; or a record marked as erased. */
function keysExchanged({ files }: Victim, next: (below: number) => number): Mutation {
  const path = pick(
    next,
    [...files.keys()].filter((name) => name.includes("/content/")),
  );
  const pack = Buffer.from(files.get(path) ?? Buffer.alloc(0));
  const places: number[] = [];
  for (let at = 0; at < pack.length; at += PACK_HEADER_BYTES + pack.readUInt32BE(at + 8)) places.push(at);
  const a = next(places.length);
  const b = (a + 1 + next(places.length - 1)) % places.length;
  const [first = 0, second = 0] = [places[a], places[b]];
  const sum = (at: number): void =>
    void pack.writeUInt32BE(crc32(pack.subarray(at + 8, at + PACK_HEADER_BYTES)), at + 4);
  if (next(3) === 0) {
    pack.writeUInt32BE(0xad170c00, first);
    pack.fill(0, first + 36, first + PACK_HEADER_BYTES + pack.readUInt32BE(first + 8));
    sum(first);
    return { files: new Map(files).set(path, pack), codes: ["erased"], what: `erased ${a}` };
  }
  const from = Buffer.from(pack.subarray(second + 12, second + PACK_HEADER_BYTES));
  pack.copy(pack, second + 12, first + 12, first + PACK_HEADER_BYTES);
  from.copy(pack, first + 12);
  for (const at of [first, second]) sum(at);
  return { files: new Map(files).set(path, pack), codes: ["ciphertext", "key"], what: `keys ${a} ${b}` };
}

/** An older checkpoint, or signatures of one note under the text of another. */
function heads({ files: bare, cosigned, older, folder }: Victim, next: (below: number) => number): Mutation {
  const files = new Map(bare).set(...cosigned);
  const path = join(folder, "log", "checkpoint");
  const newest = files.get(path) ?? Buffer.alloc(0);
  if (next(2) === 0)
    return { files: new Map(files).set(path, older), codes: ["root"], what: "older checkpoint" };
  const [a, b] = next(2) === 0 ? [newest, older] : [older, newest];
  const split = (note: Buffer): number => note.lastIndexOf("\n\n") + 1;
  const mixed = Buffer.from(concatBytes(a.subarray(0, split(a)), b.subarray(split(b))));
  return { files: new Map(files).set(path, mixed), codes: SIGNED, what: "mixed signatures" };
}

async function mutate(v: Victim, count: number, seed: number): Promise<void> {
  const next = random(seed);
  for (let i = 0; i < count; i++) {
    const make = pick(next, [bytes, bytes, bytes, entries, keysExchanged, ...(i % 50 === 0 ? [heads] : [])]);
    const { files, codes, what } = make(v, next);
    const { folder, keys, witnesses } = v;
    const report = await fsck({ folder, keys, witnesses, disk: memoryDisk(files) });
    const found = report.problems.map(({ code }) => code);
    assert.ok(
      found.some((code) => codes.includes(code)),
      `seed ${seed}, ${i}: ${what}: ${JSON.stringify(report.problems)}`,
    );
  }
}

test("in a log of a few records", { timeout: 600_000 }, async (t) => {
  const v = await victim(t, 3);
  const { folder, keys, witnesses, files } = v;
  assert.deepEqual((await fsck({ folder, keys, witnesses, disk: memoryDisk(files) })).problems, []);
  await mutate(v, 9_900, 1);
  const other = await bench(t);
  const report = await fsck({
    folder,
    keys: other.keys,
    origin: keys.origin,
    witnesses,
    disk: memoryDisk(files),
  });
  assert.ok(report.problems.some(({ code }) => code === "signature"));
  assert.ok(report.problems.some(({ code }) => code === "key"));
});

test("in a log of several bundles", { timeout: 600_000 }, async (t) => {
  const v = await victim(t, 300);
  const { folder, keys, witnesses, files } = v;
  assert.deepEqual((await fsck({ folder, keys, witnesses, disk: memoryDisk(files) })).problems, []);
  await mutate(v, 100, 2);
});
