// Checks a bag after RFC 8493, whatever made it: complete, and every checksum right.
import { hash } from "node:crypto";
import { utf8Text } from "../../core/bytes.ts";
import {
  type BagFault,
  type BagNote,
  type BagWarning,
  decodeTagFile,
  MAX_TAG_FILE_BYTES,
  parseDeclaration,
  parseFetch,
  parseManifest,
} from "./bag-text.ts";

/** The files of a bag, by their path below its base folder. */
export interface BagFiles {
  readonly paths: readonly string[];
  /** Rejects when a file can't be read. */
  read(path: string): Promise<Uint8Array>;
}

export interface BagReport {
  readonly faults: readonly BagNote<BagFault>[];
  readonly warnings: readonly BagNote<BagWarning>[];
}

/** Names of checksum algorithms as manifests are named after them, and as the platform calls them. */
const ALGORITHMS: ReadonlySet<string> = new Set(["md5", "sha1", "sha224", "sha256", "sha384", "sha512"]);
const MANIFEST = /^(tag)?manifest-([a-z0-9]+)\.txt$/;

function checksumOf(algorithm: string, bytes: Uint8Array): string | null {
  if (!ALGORITHMS.has(algorithm)) return null;
  try {
    return hash(algorithm, bytes, "hex");
  } catch {
    return null; // a browser knows fewer
  }
}

/** Checks completeness and validity (section 3). Faults name the first problem of each file; no fault: a valid bag. */
export async function checkBag(files: BagFiles): Promise<BagReport> {
  const check = new BagCheck(files);
  await check.run();
  return { faults: check.faults, warnings: check.warnings };
}

class BagCheck {
  readonly faults: BagNote<BagFault>[] = [];
  readonly warnings: BagNote<BagWarning>[] = [];
  readonly #files: BagFiles;
  readonly #paths: ReadonlySet<string>;
  /** Names folded by case and normalization, for bags that were moved between file systems. */
  readonly #folded: ReadonlyMap<string, string>;

  constructor(files: BagFiles) {
    this.#files = files;
    this.#paths = new Set(files.paths);
    this.#folded = new Map(files.paths.map((path) => [fold(path), path]));
  }

  #fail(code: BagFault, path: string): void {
    this.faults.push({ code, path });
  }

  async run(): Promise<void> {
    if (!this.#paths.has("bagit.txt")) return this.#fail("bag-no-declaration", "bagit.txt");
    const text = utf8Text(await this.#files.read("bagit.txt"));
    const declaration = text === null ? null : parseDeclaration(text);
    if (declaration === null) return this.#fail("bag-bad-declaration", "bagit.txt");
    const strict = declaration.major >= 1;
    const listed = new Map<string, Set<string>>();
    for (const path of this.#files.paths) {
      const match = MANIFEST.exec(path);
      if (match === null) continue;
      const [, tag, algorithm = ""] = match;
      const bytes = await this.#files.read(path);
      const manifest = bytes.length > MAX_TAG_FILE_BYTES ? null : decodeTagFile(bytes, declaration.encoding);
      if (manifest === null) this.#fail("bag-bad-encoding", path);
      else
        listed.set(
          path,
          await this.#manifest(manifest, { payload: tag === undefined, algorithm, path, strict }),
        );
    }
    await this.#fetchList(declaration.encoding);
    this.#unlisted(listed, strict);
  }

  /** Checks one manifest; returns the files it lists. */
  async #manifest(
    text: string,
    {
      payload,
      algorithm,
      path,
      strict,
    }: { payload: boolean; algorithm: string; path: string; strict: boolean },
  ): Promise<Set<string>> {
    const { lines, faults, warnings } = parseManifest(text, { payload, strict });
    this.faults.push(...faults);
    this.warnings.push(...warnings);
    const listed = new Set<string>();
    if (!ALGORITHMS.has(algorithm)) this.#fail("bag-unknown-algorithm", path);
    for (const line of lines) {
      const file = this.#locate(line.path, strict);
      if (file === null) {
        this.#fail("bag-file-missing", line.path);
        continue;
      }
      listed.add(file);
      const checksum = checksumOf(algorithm, await this.#files.read(file));
      if (checksum !== null && checksum !== line.checksum) this.#fail("bag-checksum", line.path);
    }
    return listed;
  }

  #locate(path: string, strict: boolean): string | null {
    if (this.#paths.has(path)) return path;
    const other = strict ? undefined : this.#folded.get(fold(path));
    if (other === undefined) return null;
    this.warnings.push({ code: "bag-name-by-case-or-normalization", path });
    return other;
  }

  async #fetchList(encoding: string): Promise<void> {
    if (!this.#paths.has("fetch.txt")) return;
    const text = decodeTagFile(await this.#files.read("fetch.txt"), encoding);
    const paths = text === null ? null : parseFetch(text);
    if (paths === null) this.#fail("bag-unsafe-path", "fetch.txt");
    for (const path of paths ?? []) if (!this.#paths.has(path)) this.#fail("bag-file-missing", path);
  }

  /** Every payload file is in a manifest; from version 1.0 on, in every payload manifest (section 3). */
  #unlisted(listed: ReadonlyMap<string, ReadonlySet<string>>, strict: boolean): void {
    const manifests = [...listed].filter(([path]) => path.startsWith("manifest-")).map(([, files]) => files);
    if (manifests.length === 0) this.#fail("bag-no-manifest", "manifest-sha256.txt");
    const payload = this.#files.paths.filter((path) => path.startsWith("data/"));
    for (const path of manifests.length === 0 ? [] : payload) {
      const holders = manifests.filter((files) => files.has(path)).length;
      if (holders === 0 || (strict && holders < manifests.length)) this.#fail("bag-file-unlisted", path);
    }
  }
}

function fold(path: string): string {
  return path.normalize("NFC").toLowerCase();
}
