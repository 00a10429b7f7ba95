// Reads a bundle's zip without trusting it: every header must be, to the bit, what a writer of bundles writes.
import { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";
import { equalBytes } from "../../core/bytes.ts";
import type { ByteSource } from "./byte-source.ts";
import {
  CENTRAL_HEADER_BYTES,
  CENTRAL_SIGNATURE,
  END_BYTES,
  END_SIGNATURE,
  endRecord,
  fitsCentral,
  fitsLocal,
  isSafePath,
  LOCAL_HEADER_BYTES,
  MAX_PATH_BYTES,
  MAX_ZIP_BYTES,
  MAX_ZIP_ENTRIES,
  type ZipEntry,
} from "./zip-format.ts";

/** Largest file inside a bundle: a record of 64 MiB as base64 text, and its frame. */
export const MAX_FILE_BYTES: number = 96 * 1024 * 1024;
const MAX_DIRECTORY_BYTES: number = MAX_ZIP_ENTRIES * (CENTRAL_HEADER_BYTES + MAX_PATH_BYTES);

/** Why a zip was refused. */
export type ZipFault =
  | "zip-truncated"
  | "zip-too-large"
  | "zip-64"
  | "zip-encrypted"
  | "zip-compressed"
  | "zip-unsafe-name"
  | "zip-duplicate-name"
  | "zip-overlap"
  | "zip-not-canonical"
  | "zip-checksum";

export interface Zip {
  readonly entries: readonly ZipEntry[];
}

/** What is wrong, and with which entry. */
export interface ZipProblem {
  readonly fault: ZipFault;
  readonly path: string | null;
}

const problem = (fault: ZipFault, path: string | null = null): ZipProblem => ({ fault, path });

/**
 * Reads the directory. The entries it returns follow one another from offset 0 to the directory without gap or overlap,
 * in strictly rising order of their names. Contents are checked by `readEntry`.
 */
export async function readZip(source: ByteSource): Promise<Zip | ZipProblem> {
  if (source.size > MAX_ZIP_BYTES) return problem("zip-too-large");
  if (source.size < END_BYTES) return problem("zip-truncated");
  const end = await source.read(source.size - END_BYTES, END_BYTES);
  if (end.length !== END_BYTES) return problem("zip-truncated");
  const view = viewOf(end);
  if (view.getUint32(0, true) !== END_SIGNATURE) return problem("zip-truncated");
  const count = view.getUint16(10, true);
  const bytes = view.getUint32(12, true);
  const offset = view.getUint32(16, true);
  if (count === 0xffff || bytes === 0xffff_ffff || offset === 0xffff_ffff) return problem("zip-64");
  if (bytes > MAX_DIRECTORY_BYTES || count > MAX_ZIP_ENTRIES) return problem("zip-too-large");
  if (offset + bytes !== source.size - END_BYTES) return problem("zip-not-canonical");
  if (!equalBytes(end, endRecord({ entries: count, bytes, offset }))) return problem("zip-not-canonical");
  const directory = await source.read(offset, bytes);
  if (directory.length !== bytes) return problem("zip-truncated");
  return readDirectory(directory, { count, end: offset });
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function readDirectory(directory: Uint8Array, expected: { count: number; end: number }): Zip | ZipProblem {
  const entries: ZipEntry[] = [];
  let at = 0;
  let offset = 0;
  let last = "";
  while (at < directory.length) {
    const entry = readCentral(directory.subarray(at));
    if ("fault" in entry) return entry;
    if (entry.path === last) return problem("zip-duplicate-name", entry.path);
    if (entry.path < last) return problem("zip-not-canonical", entry.path);
    if (entry.offset < offset) return problem("zip-overlap", entry.path);
    if (entry.offset !== offset) return problem("zip-not-canonical", entry.path);
    entries.push(entry);
    last = entry.path;
    offset += LOCAL_HEADER_BYTES + entry.path.length + entry.bytes;
    at += CENTRAL_HEADER_BYTES + entry.path.length;
  }
  if (offset > expected.end) return problem("zip-overlap", last);
  if (entries.length !== expected.count || offset !== expected.end) return problem("zip-not-canonical");
  return { entries };
}

function readCentral(bytes: Uint8Array): ZipEntry | ZipProblem {
  if (bytes.length < CENTRAL_HEADER_BYTES) return problem("zip-truncated");
  const view = viewOf(bytes);
  if (view.getUint32(0, true) !== CENTRAL_SIGNATURE) return problem("zip-not-canonical");
  const nameBytes = view.getUint16(28, true);
  const name = bytes.subarray(CENTRAL_HEADER_BYTES, CENTRAL_HEADER_BYTES + nameBytes);
  // What is not ASCII is no safe path, whatever it would be in another encoding.
  const path = Buffer.from(name.buffer, name.byteOffset, name.byteLength).toString("latin1");
  if (name.length !== nameBytes || !isSafePath(path)) return problem("zip-unsafe-name");
  // Named causes first; whatever else is odd is caught by comparing the whole header below.
  if ((view.getUint16(8, true) & 1) !== 0) return problem("zip-encrypted", path);
  if (view.getUint16(10, true) !== 0) return problem("zip-compressed", path);
  const size = view.getUint32(24, true);
  const offset = view.getUint32(42, true);
  if (size === 0xffff_ffff || offset === 0xffff_ffff) return problem("zip-64", path);
  if (size > MAX_FILE_BYTES) return problem("zip-too-large", path);
  const entry = { path, crc: view.getUint32(16, true), bytes: size, offset };
  return fitsCentral(bytes, view) ? entry : problem("zip-not-canonical", path);
}

/** The content of one entry, its local header and checksum checked. */
export async function readEntry(source: ByteSource, entry: ZipEntry): Promise<Uint8Array | ZipProblem> {
  const head = LOCAL_HEADER_BYTES + entry.path.length;
  const whole = await source.read(entry.offset, head + entry.bytes);
  if (whole.length !== head + entry.bytes) return problem("zip-truncated", entry.path);
  if (!fitsLocal(whole, entry)) return problem("zip-not-canonical", entry.path);
  const content = whole.subarray(head);
  return crc32(content) === entry.crc ? content : problem("zip-checksum", entry.path);
}
