// The tag files of a bag (RFC 8493 section 2): declaration, manifests, fetch list. All of it may be attacker-controlled.

/** Why a bag was refused, or warned about. */
export type BagFault =
  | "bag-no-declaration"
  | "bag-bad-declaration"
  | "bag-bad-encoding"
  | "bag-no-manifest"
  | "bag-bad-manifest"
  | "bag-unsafe-path"
  | "bag-listed-twice"
  | "bag-file-missing"
  | "bag-file-unlisted"
  | "bag-checksum"
  | "bag-unknown-algorithm";

export type BagWarning =
  | "bag-listed-twice"
  | "bag-name-by-case-or-normalization"
  | "bag-relative-path"
  | "bag-md5sum-style"
  | "bag-system-file";

export interface BagNote<Code> {
  readonly code: Code;
  readonly path: string;
}

export interface Declaration {
  readonly major: number;
  readonly minor: number;
  readonly encoding: string;
}

export interface ManifestLine {
  readonly path: string;
  /** Lower-case hexadecimal. */
  readonly checksum: string;
}

/** Longest manifest that is read: a bundle's 65,534 entries at 320 bytes each. */
export const MAX_TAG_FILE_BYTES: number = 24 * 1024 * 1024;

/** Lines that end in LF, CR or CRLF; the last may lack its end. */
export function linesOf(text: string): string[] {
  const lines = text.split(/\r\n|\n|\r/);
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

/** `bagit.txt`: always UTF-8, no byte order mark, exactly two lines (section 2.1.1). */
export function parseDeclaration(text: string): Declaration | null {
  const [first = "", second = "", ...rest] = linesOf(text);
  const version = /^BagIt-Version: (\d{1,4})\.(\d{1,4})$/.exec(first);
  const encoding = /^Tag-File-Character-Encoding: ([A-Za-z0-9._:-]{1,40})$/.exec(second);
  if (version === null || encoding === null || rest.length > 0) return null;
  return { major: Number(version[1]), minor: Number(version[2]), encoding: encoding[1] ?? "" };
}

/** Text of a tag file in the declared encoding, or null. A byte order mark is the encoding's, not the text's. */
export function decodeTagFile(bytes: Uint8Array, encoding: string): string | null {
  // UTF-16 without a named byte order takes it from the mark; TextDecoder would assume little-endian.
  const bigEndian = /^utf-?16$/i.test(encoding) && bytes[0] === 0xfe && bytes[1] === 0xff;
  try {
    return new TextDecoder(bigEndian ? "utf-16be" : encoding, { fatal: true }).decode(bytes);
  } catch {
    return null; // an encoding nobody knows, or bytes that are not in it
  }
}

/** Section 2.1.3: only line ends and the percent sign itself are escaped. */
function unescapePath(path: string): string {
  return path.replace(/%(0D|0A|25)/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}

/** A path inside the bag: relative, below its base, without the shortcuts that shells and Windows know. */
export function isInside(path: string): boolean {
  if (path === "" || /^[/\\~%]/.test(path) || /^[A-Za-z]:/.test(path) || path.includes("\0")) return false;
  return !path.split(/[/\\]/).includes("..");
}

/**
 * The lines of a manifest (section 2.1.3), problems noted. `payload`: paths must lie below `data/`; else they must not.
 */
export function parseManifest(
  text: string,
  options: { payload: boolean; strict: boolean },
): { lines: ManifestLine[]; faults: BagNote<BagFault>[]; warnings: BagNote<BagWarning>[] } {
  const lines: ManifestLine[] = [];
  const faults: BagNote<BagFault>[] = [];
  const warnings: BagNote<BagWarning>[] = [];
  const seen = new Map<string, string>();
  for (const line of linesOf(text)) {
    const match = /^([0-9A-Fa-f]{1,128})[ \t]+(\*?)(.+)$/.exec(line);
    if (match === null) {
      faults.push({ code: "bag-bad-manifest", path: line.slice(0, 80) });
      continue;
    }
    const [, checksum = "", star, written = ""] = match;
    if (star === "*") warnings.push({ code: "bag-md5sum-style", path: written });
    if (written.startsWith("./")) warnings.push({ code: "bag-relative-path", path: written });
    const path = unescapePath(written.replace(/^(\.\/)+/, ""));
    if (!isInside(path) || path.startsWith("data/") !== options.payload) {
      faults.push({ code: "bag-unsafe-path", path: written });
      continue;
    }
    const known = seen.get(path);
    if (known !== undefined) {
      const same = known === checksum.toLowerCase() && !options.strict;
      if (same) warnings.push({ code: "bag-listed-twice", path });
      else faults.push({ code: "bag-listed-twice", path });
      continue;
    }
    seen.set(path, checksum.toLowerCase());
    if (/(^|\/)(Thumbs\.db|\.DS_Store|desktop\.ini)$/i.test(path))
      warnings.push({ code: "bag-system-file", path });
    lines.push({ path, checksum: checksum.toLowerCase() });
  }
  return { lines, faults, warnings };
}

/** Paths that `fetch.txt` would fetch into (section 2.2.3), or null where a line is malformed or leads outside. */
export function parseFetch(text: string): string[] | null {
  const paths: string[] = [];
  for (const line of linesOf(text)) {
    const match = /^\S+[ \t]+(?:\d+|-)[ \t]+(.+)$/.exec(line);
    const path = unescapePath(match?.[1]?.replace(/^(\.\/)+/, "") ?? "");
    if (!isInside(path) || !path.startsWith("data/")) return null;
    paths.push(path);
  }
  return paths;
}
