// The files of a bundle: one canonical zip, one folder, one valid bag, and nothing that does not belong.
import { equalBytes, utf8, utf8Text } from "../../core/bytes.ts";
import { checkBag } from "./bag.ts";
import type { ByteSource } from "./byte-source.ts";
import { BAGIT_TEXT, type BundleHeader, bagInfo, parseHeader } from "./documents.ts";
import { baseFolder, PATHS, placeOf } from "./layout.ts";
import { type Reasons, Refusal } from "./verdict.ts";
import { readEntry, readZip } from "./zip.ts";
import type { ZipEntry } from "./zip-format.ts";

export class BundleFiles {
  readonly #source: ByteSource;
  readonly #entries: ReadonlyMap<string, ZipEntry>;
  readonly base: string;

  private constructor(source: ByteSource, base: string, entries: ReadonlyMap<string, ZipEntry>) {
    this.#source = source;
    this.base = base;
    this.#entries = entries;
  }

  /** @throws Refusal where the zip is none of ours */
  static async open(source: ByteSource): Promise<BundleFiles> {
    const zip = await readZip(source);
    if ("fault" in zip) throw new Refusal(zip.fault, zip.path, "the zip is not one that Adyton writes");
    const base = zip.entries[0]?.path.split("/")[0] ?? "";
    const entries = new Map<string, ZipEntry>();
    for (const entry of zip.entries) {
      if (!entry.path.startsWith(`${base}/`))
        throw new Refusal("bundle-name", entry.path, `expected everything in ${base}/`);
      entries.set(entry.path.slice(base.length + 1), entry);
    }
    // A damaged copy is told from a forged one at once, and cheaply.
    for (const [path, entry] of entries) {
      const content = await readEntry(source, entry);
      if ("fault" in content) throw new Refusal(content.fault, path, "the file is damaged");
    }
    return new BundleFiles(source, base, entries);
  }

  /** In the order of their names. */
  get paths(): string[] {
    return [...this.#entries.keys()];
  }

  has(path: string): boolean {
    return this.#entries.has(path);
  }

  bytesOf(path: string): number {
    return this.#entries.get(path)?.bytes ?? 0;
  }

  /** @throws Refusal where there is no such file or its bytes are not those that the zip says */
  async read(path: string): Promise<Uint8Array> {
    const entry = this.#entries.get(path);
    if (entry === undefined) throw new Refusal("bundle-file-missing", path, "the bundle has no such file");
    const content = await readEntry(this.#source, entry);
    if ("fault" in content) throw new Refusal(content.fault, path, "the file is damaged");
    return content;
  }
}

const REQUIRED: readonly string[] = [
  PATHS.bagit,
  PATHS.bagInfo,
  PATHS.manifest,
  PATHS.tagManifest,
  PATHS.header,
  PATHS.custody,
  PATHS.completeness,
  PATHS.health,
  PATHS.policy,
  PATHS.lastCheckpoint,
  PATHS.statistics,
  PATHS.exportRecord,
  PATHS.exportProof,
  PATHS.exportConsistency,
];

/** Checks names and bag; returns the header. @throws Refusal where nothing further can be read */
export async function checkFiles(files: BundleFiles, reasons: Reasons): Promise<BundleHeader> {
  for (const path of files.paths)
    if (placeOf(path) === null)
      reasons.add("bundle-file-unexpected", path, "no bundle holds a file of this name");
  const missing = REQUIRED.filter((path) => !files.has(path));
  for (const path of missing) reasons.add("bundle-file-missing", path, "every bundle holds this file");
  const bag = await checkBag({ paths: files.paths, read: (path) => files.read(path) });
  for (const { code, path } of bag.faults) reasons.add(code, path, "the bag (RFC 8493) is not valid");
  const [first] = missing;
  if (first !== undefined) throw new Refusal("bundle-file-missing", first, "every bundle holds this file");
  const header = parseHeader(await files.read(PATHS.header));
  if (header === null) throw new Refusal("bundle-file-malformed", PATHS.header, "expected a case's header");
  if (files.base !== baseFolder(header.case))
    reasons.add("bundle-name", null, `expected the folder ${baseFolder(header.case)}, got ${files.base}`);
  await checkTagFiles(files, header, reasons);
  return header;
}

/**
 * A manifest as export writes it: each of these files once, in the order of names. The digests are those of the manifest
 * itself: `checkBag` has held them against the files.
 */
async function manifestOf(
  files: BundleFiles,
  manifest: string,
  paths: readonly string[],
): Promise<Uint8Array> {
  const text = utf8Text(await files.read(manifest)) ?? "";
  const digests = new Map(text.split("\n").map((line) => [line.slice(66), line.slice(0, 64)]));
  return utf8(paths.map((path) => `${digests.get(path) ?? ""}  ${path}\n`).join(""));
}

/** Tag files follow from the payload: what differs from that was changed. */
async function checkTagFiles(files: BundleFiles, header: BundleHeader, reasons: Reasons): Promise<void> {
  const payload = files.paths.filter((path) => path.startsWith("data/"));
  const tags = files.paths.filter((path) => !path.startsWith("data/") && path !== PATHS.tagManifest);
  const bytes = payload.reduce((sum, path) => sum + files.bytesOf(path), 0);
  const expected: [path: string, content: Uint8Array][] = [
    [PATHS.bagit, utf8(BAGIT_TEXT)],
    [PATHS.bagInfo, utf8(bagInfo(header, { bytes, files: payload.length }))],
    [PATHS.tagManifest, await manifestOf(files, PATHS.tagManifest, tags)],
    [PATHS.manifest, await manifestOf(files, PATHS.manifest, payload)],
  ];
  for (const [path, content] of expected)
    if (!equalBytes(await files.read(path), content))
      reasons.add("bag-not-canonical", path, "expected the file that the bundle's contents give");
}
