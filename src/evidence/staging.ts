// The files of a bundle while it is made: in a private folder, each hashed as it is written.
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
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

/** Bytes gathered before they go to the disk. */
const CHUNK_BYTES: number = 4 * 1024 * 1024;

export class Staging {
  readonly #folder: string;
  readonly #files: Map<string, StagedFile> = new Map();
  readonly #made: Set<string> = new Set();

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** A folder of mode 0700 beside the output, so that content in clear stays on the same file system. */
  static async create(beside: string): Promise<Staging> {
    try {
      return new Staging(await mkdtemp(join(dirname(beside), ".adyton-bundle-")));
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new EvidenceError("evidence.output", `expected to write beside ${beside}, got: ${reason}`, {
        cause,
      });
    }
  }

  async add(path: string, content: Uint8Array | string): Promise<void> {
    const bytes = typeof content === "string" ? utf8(content) : content;
    const target = join(this.#folder, path);
    if (!this.#made.has(dirname(target))) {
      await mkdir(dirname(target), { recursive: true });
      this.#made.add(dirname(target));
    }
    await writeFile(target, bytes, { mode: 0o600, flag: "wx" });
    this.#files.set(path, { path, bytes: bytes.length, crc: crc32(bytes), sha256: hex(sha256(bytes)) });
  }

  /** In the order of their names, which is the order in the zip. */
  files(): StagedFile[] {
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
    for (const { path, bytes, crc } of this.files()) {
      const entry = { path: `${base}/${path}`, crc, bytes, offset };
      const header = localHeader(entry);
      entries.push(entry);
      offset += header.length + bytes;
      if (offset > MAX_ZIP_BYTES / 2) throw tooLarge();
      held.push(header, await readFile(join(this.#folder, path)));
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

  /** Writes the zip to a new file, synced. @throws EvidenceError `evidence.output`, `evidence.too-large` */
  async writeTo(pieces: AsyncIterable<Uint8Array>, out: string): Promise<number> {
    let bytes = 0;
    let isOurs = false;
    try {
      const file = await open(out, "wx", 0o600);
      isOurs = true;
      try {
        for await (const piece of pieces) {
          await file.write(piece);
          bytes += piece.length;
        }
        await file.sync();
      } finally {
        await file.close();
      }
      return bytes;
    } catch (cause) {
      if (isOurs) await rm(out, { force: true }); // half a bundle is none
      if (cause instanceof EvidenceError) throw cause;
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new EvidenceError("evidence.output", `expected to write ${out}, got: ${reason}`, { cause });
    }
  }

  /** Removes the folder with everything in it. */
  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function tooLarge(): EvidenceError {
  return new EvidenceError("evidence.too-large", "expected a bundle of at most 2 GiB");
}
