// A forger who knows the format: takes a bundle apart, changes files, and makes zip, manifests and checksums fit again.
import { crc32 } from "node:zlib";
import { hex, utf8 } from "../../src/core/bytes.ts";
import { sha256 } from "../../src/core/sha256.ts";
import { memorySource } from "../../src/evidence/verify/byte-source.ts";
import { bagInfo, parseHeader } from "../../src/evidence/verify/documents.ts";
import { PATHS } from "../../src/evidence/verify/layout.ts";
import { readEntry, readZip } from "../../src/evidence/verify/zip.ts";
import {
  centralHeader,
  endRecord,
  localHeader,
  type ZipEntry,
} from "../../src/evidence/verify/zip-format.ts";

/** Files by their path below the base folder. */
export type Files = Map<string, Uint8Array>;

export interface Opened {
  readonly base: string;
  readonly files: Files;
}

export async function openBundle(bytes: Uint8Array): Promise<Opened> {
  const source = memorySource(bytes);
  const zip = await readZip(source);
  if ("fault" in zip) throw new TypeError(`expected a bundle, got ${zip.fault}`);
  const files: Files = new Map();
  const base = zip.entries[0]?.path.split("/")[0] ?? "";
  for (const entry of zip.entries) {
    const content = await readEntry(source, entry);
    if ("fault" in content) throw new TypeError(`expected a whole bundle, got ${content.fault}`);
    files.set(entry.path.slice(base.length + 1), content);
  }
  return { base, files };
}

const digests = new WeakMap<Uint8Array, string>();
const checksums = new WeakMap<Uint8Array, number>();

function remember<T>(cache: WeakMap<Uint8Array, T>, bytes: Uint8Array, make: () => T): T {
  const known = cache.get(bytes);
  if (known !== undefined) return known;
  const made = make();
  cache.set(bytes, made);
  return made;
}

function manifestOf(files: Files, takes: (path: string) => boolean): Uint8Array {
  const lines = [...files.keys()]
    .filter(takes)
    .sort()
    .map((path) => {
      const bytes = files.get(path) ?? new Uint8Array();
      return `${remember(digests, bytes, () => hex(sha256(bytes)))}  ${path}\n`;
    });
  return utf8(lines.join(""));
}

/** Makes manifests and bag-info fit the files again. */
export function fitTags(files: Files): void {
  const header = parseHeader(files.get(PATHS.header) ?? new Uint8Array());
  const payload = [...files].filter(([path]) => path.startsWith("data/"));
  const bytes = payload.reduce((sum, [, content]) => sum + content.length, 0);
  if (header !== null) files.set(PATHS.bagInfo, utf8(bagInfo(header, { bytes, files: payload.length })));
  files.set(
    PATHS.manifest,
    manifestOf(files, (path) => path.startsWith("data/")),
  );
  files.set(
    PATHS.tagManifest,
    manifestOf(files, (path) => !path.startsWith("data/") && path !== PATHS.tagManifest),
  );
}

/** The canonical zip of these files. */
export function zipOf({ base, files }: Opened): Buffer {
  const entries: ZipEntry[] = [];
  const parts: Uint8Array[] = [];
  let offset = 0;
  for (const path of [...files.keys()].sort()) {
    const bytes = files.get(path) ?? new Uint8Array();
    const crc = remember(checksums, bytes, () => crc32(bytes));
    const entry = { path: `${base}/${path}`, crc, bytes: bytes.length, offset };
    entries.push(entry);
    parts.push(localHeader(entry), bytes);
    offset += 30 + entry.path.length + bytes.length;
  }
  const directory = Buffer.concat(entries.map(centralHeader));
  parts.push(directory, endRecord({ entries: entries.length, bytes: directory.length, offset }));
  return Buffer.concat(parts);
}

/** A copy with some files changed, everything fitted again. */
export function forged(bundle: Opened, change: (files: Files) => void): Buffer {
  const files = new Map(bundle.files);
  change(files);
  fitTags(files);
  return zipOf({ base: bundle.base, files });
}
