// The one form of zip that bundles have: stored entries in the order of their names, no slack, so that no bit is free.

/** A bundle fits the plain zip format: what would need zip64 is refused. */
export const MAX_ZIP_BYTES = 0xffff_fffe;
export const MAX_ZIP_ENTRIES = 0xfffe;
/** Longest path inside the zip. */
export const MAX_PATH_BYTES = 240;

export const LOCAL_HEADER_BYTES = 30;
export const CENTRAL_HEADER_BYTES = 46;
export const END_BYTES = 22;
export const LOCAL_SIGNATURE = 0x04034b50;
export const CENTRAL_SIGNATURE = 0x02014b50;
export const END_SIGNATURE = 0x06054b50;

/** Made by Unix, version 2.0; a regular file that everyone may read. Extractors then set usable permissions. */
const MADE_BY = 0x0314;
const EXTERNAL_ATTRIBUTES = (0o100644 << 16) >>> 0;
/** Version 1.0: stored files only. */
const VERSION_NEEDED = 10;
/** 1 January 1980, the first date there is: a bundle's times are in its records. */
const DOS_DATE = 0x0021;

export interface ZipEntry {
  /** ASCII, forward slashes. */
  readonly path: string;
  readonly crc: number;
  readonly bytes: number;
  /** Of the local header. */
  readonly offset: number;
}

/** Parts of letters, digits, `_`, `-` and inner dots: none is empty, `.`, `..`, or ends in a dot. */
const SAFE_PATH = /^(?:[A-Za-z0-9_.-]*[A-Za-z0-9_-]\/)*[A-Za-z0-9_.-]*[A-Za-z0-9_-]$/;

/** A path that means the same on every system, and stays below the folder it is extracted to. */
export function isSafePath(path: string): boolean {
  return path.length <= MAX_PATH_BYTES && SAFE_PATH.test(path);
}

type Field = readonly [bytes: 2 | 4, value: number];

function pack(fields: readonly Field[]): Uint8Array {
  const packed = new Uint8Array(fields.reduce((sum, [bytes]) => sum + bytes, 0));
  const view = new DataView(packed.buffer);
  let at = 0;
  for (const [bytes, value] of fields) {
    if (bytes === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += bytes;
  }
  return packed;
}

/** Version, flags, method, time, date, and zeroes for checksum, sizes and lengths: what both headers share. */
const COMMON: readonly Field[] = [
  [2, VERSION_NEEDED],
  [2, 0],
  [2, 0],
  [2, 0],
  [2, DOS_DATE],
  [4, 0],
  [4, 0],
  [4, 0],
  [2, 0],
  [2, 0],
];
const LOCAL: Uint8Array = pack([[4, LOCAL_SIGNATURE], ...COMMON]);
const CENTRAL: Uint8Array = pack([
  [4, CENTRAL_SIGNATURE],
  [2, MADE_BY],
  ...COMMON,
  [2, 0], // comment
  [2, 0], // disk
  [2, 0], // internal attributes
  [4, EXTERNAL_ATTRIBUTES],
  [4, 0], // offset of the local header
]);

/** A copy of the template with checksum, sizes, length of the name, and the name. `at`: where the checksum stands. */
function filled(template: Uint8Array, at: number, entry: ZipEntry): { header: Uint8Array; view: DataView } {
  const { path } = entry;
  const header = new Uint8Array(template.length + path.length);
  header.set(template);
  // Paths are ASCII, and an encoder takes longer for so little.
  for (let i = 0; i < path.length; i++) header[template.length + i] = path.charCodeAt(i);
  const view = new DataView(header.buffer);
  view.setUint32(at, entry.crc, true);
  view.setUint32(at + 4, entry.bytes, true);
  view.setUint32(at + 8, entry.bytes, true);
  view.setUint16(at + 12, path.length, true);
  return { header, view };
}

/** Local header with its name (APPNOTE 6.3.10 section 4.3.7). */
export function localHeader(entry: ZipEntry): Uint8Array {
  return filled(LOCAL, 14, entry).header;
}

/** Central directory header with its name (section 4.3.12). */
export function centralHeader(entry: ZipEntry): Uint8Array {
  const { header, view } = filled(CENTRAL, 16, entry);
  view.setUint32(42, entry.offset, true);
  return header;
}

function same(bytes: Uint8Array, template: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (bytes[at] !== template[at]) return false;
  return true;
}

/** Is this what `centralHeader` writes for the checksum, sizes, offset and name that stand in it? */
export function fitsCentral(header: Uint8Array, view: DataView): boolean {
  if (!same(header, CENTRAL, 0, 16) || !same(header, CENTRAL, 30, 42)) return false;
  return view.getUint32(20, true) === view.getUint32(24, true);
}

/** Is this what `localHeader` writes for the entry? */
export function fitsLocal(header: Uint8Array, { path, crc, bytes }: ZipEntry): boolean {
  if (!same(header, LOCAL, 0, 14) || !same(header, LOCAL, 28, 30)) return false;
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  if (view.getUint32(14, true) !== crc || view.getUint32(18, true) !== bytes) return false;
  if (view.getUint32(22, true) !== bytes || view.getUint16(26, true) !== path.length) return false;
  for (let i = 0; i < path.length; i++) if (header[LOCAL.length + i] !== path.charCodeAt(i)) return false;
  return true;
}

/** End of central directory (section 4.3.16), without a comment. */
export function endRecord(directory: { entries: number; bytes: number; offset: number }): Uint8Array {
  return pack([
    [4, END_SIGNATURE],
    [2, 0],
    [2, 0],
    [2, directory.entries],
    [2, directory.entries],
    [4, directory.bytes],
    [4, directory.offset],
    [2, 0],
  ]);
}
