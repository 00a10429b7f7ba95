// The files of a bundle while it is made: on the disk without a name, each hashed as it is written.
import { randomUUID } from "node:crypto";
import { type FileHandle, open, rm } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import { crc32 } from "node:zlib";
import { hex, utf8 } from "../core/bytes.ts";
import { sha256 } from "../core/sha256.ts";
import { EvidenceError } from "./errors.ts";
import { centralHeader, endRecord, localHeader, MAX_ZIP_BYTES, type ZipEntry } from "./verify/zip-format.ts";

export interface StagedFile {
  /** Below the bundle's base folder. */
  readonly path: string;
  readonly bytes: number;
  readonly crc: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** Bytes gathered before they go to the disk, and read back at once. */
const CHUNK_BYTES: number = 4 * 1024 * 1024;

interface Place extends StagedFile {
  readonly spool: Spool;
  readonly offset: number;
}

/**
 * Files of one folder of the bundle, one after the other: tens of thousands of small ones would cost more to open than
 * to write. They come and go in the order of their names, nearly always.
 */
class Spool {
  readonly #file: FileHandle;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #written = 0;
  #window: Buffer = Buffer.alloc(0);
  #windowAt = 0;

  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Returns where the bytes will lie. */
  async append(bytes: Uint8Array): Promise<number> {
    const offset = this.#written + this.#heldBytes;
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    if (this.#heldBytes >= CHUNK_BYTES) await this.#flush();
    return offset;
  }

  async read(offset: number, bytes: number): Promise<Uint8Array> {
    await this.#flush();
    const end = this.#windowAt + this.#window.length;
    if (offset < this.#windowAt || offset + bytes > end) {
      const window = Buffer.allocUnsafe(Math.max(bytes, Math.min(CHUNK_BYTES, this.#written - offset)));
      const { bytesRead } = await this.#file.read(window, 0, window.length, offset);
      this.#window = window.subarray(0, bytesRead);
      this.#windowAt = offset;
    }
    const found = this.#window.subarray(offset - this.#windowAt, offset - this.#windowAt + bytes);
    if (found.length !== bytes) throw new TypeError(`expected ${bytes} staged bytes, got ${found.length}`);
    return found;
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async #flush(): Promise<void> {
    if (this.#heldBytes === 0) return;
    const bytes = Buffer.concat(this.#held);
    this.#held = [];
    this.#heldBytes = 0;
    for (let done = 0; done < bytes.length; ) {
      const at = this.#written + done;
      done += (await this.#file.write(bytes, done, bytes.length - done, at)).bytesWritten;
    }
    this.#written += bytes.length;
  }
}

/**
 * A new file beside `path`, so on the same file system, that has lost its name already: content in clear lives as long as
 * the file is open, and not even a killed process leaves it behind. @throws EvidenceError `evidence.output`
 */
export async function namelessFile(path: string): Promise<FileHandle> {
  const name = join(dirname(path), `.adyton-bundle-${randomUUID()}`);
  try {
    const file = await open(name, "wx+", 0o600);
    await rm(name);
    return file;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EvidenceError("evidence.output", `expected to write beside ${path}, got: ${reason}`, { cause });
  }
}

export class Staging {
  readonly #beside: string;
  readonly #files: Map<string, Place> = new Map();
  readonly #spools: Map<string, Spool> = new Map();

  /** Stages beside the output. */
  constructor(beside: string) {
    this.#beside = beside;
  }

  /** A path is added once. */
  async add(path: string, content: Uint8Array | string): Promise<void> {
    if (this.#files.has(path)) throw new TypeError(`expected ${path} to be staged once, got it again`);
    const bytes = typeof content === "string" ? utf8(content) : content;
    const spool = await this.#spool(posix.dirname(path));
    const facts = { path, bytes: bytes.length, crc: crc32(bytes), sha256: hex(sha256(bytes)) };
    this.#files.set(path, { ...facts, spool, offset: await spool.append(bytes) });
  }

  async #spool(folder: string): Promise<Spool> {
    const known = this.#spools.get(folder);
    if (known !== undefined) return known;
    const spool = new Spool(await namelessFile(this.#beside));
    this.#spools.set(folder, spool);
    return spool;
  }

  /** In the order of their names, which is the order in the zip. */
  files(): StagedFile[] {
    return this.#places();
  }

  #places(): Place[] {
    return [...this.#files.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  /** `sha256sum` lines of the files that `takes` accepts. */
  manifest(takes: (path: string) => boolean): string {
    return this.files()
      .filter(({ path }) => takes(path))
      .map(({ path, sha256: digest }) => `${digest}  ${path}\n`)
      .join("");
  }

  /** The zip's bytes in pieces. @throws EvidenceError `evidence.too-large` */
  async *zip(base: string): AsyncGenerator<Uint8Array> {
    const entries: ZipEntry[] = [];
    let offset = 0;
    let held: Uint8Array[] = [];
    let heldBytes = 0;
    for (const { path, bytes, crc, spool, offset: at } of this.#places()) {
      const entry = { path: `${base}/${path}`, crc, bytes, offset };
      const header = localHeader(entry);
      entries.push(entry);
      offset += header.length + bytes;
      if (offset > MAX_ZIP_BYTES / 2) throw tooLarge();
      held.push(header, await spool.read(at, bytes));
      heldBytes += header.length + bytes;
      if (heldBytes >= CHUNK_BYTES) {
        yield Buffer.concat(held);
        held = [];
        heldBytes = 0;
      }
    }
    const directory = Buffer.concat(entries.map(centralHeader));
    const end = endRecord({ entries: entries.length, bytes: directory.length, offset });
    yield Buffer.concat([...held, directory, end]);
  }

  /** Frees what was staged. */
  async end(): Promise<void> {
    await Promise.all([...this.#spools.values()].map((spool) => spool.close()));
  }
}

/** Writes the zip to a new file, synced. @throws EvidenceError `evidence.output`, `evidence.too-large` */
export async function writeNew(pieces: AsyncIterable<Uint8Array>, out: string): Promise<number> {
  let isOurs = false;
  try {
    const file = await open(out, "wx", 0o600);
    isOurs = true;
    try {
      return await writeInto(pieces, file);
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (isOurs) await rm(out, { force: true }); // half a bundle is none
    if (cause instanceof EvidenceError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EvidenceError("evidence.output", `expected to write ${out}, got: ${reason}`, { cause });
  }
}

/** Returns the bytes written, which are synced. */
export async function writeInto(pieces: AsyncIterable<Uint8Array>, file: FileHandle): Promise<number> {
  let bytes = 0;
  for await (const piece of pieces) {
    await file.writeFile(piece); // all of it, from where the file stands
    bytes += piece.length;
  }
  await file.sync();
  return bytes;
}

function tooLarge(): EvidenceError {
  return new EvidenceError("evidence.too-large", "expected a bundle of at most 2 GiB");
}
