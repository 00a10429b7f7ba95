// Timestamps on disk: the stamped checkpoint, each authority's answer, and the lists by which old stamps are renewed.
import { createHash } from "node:crypto";
import { join } from "node:path";
import { utf8 } from "../core/bytes.ts";
import { parseNote } from "../core/note.ts";
import { type VerifiedTimestamp, verifyTimestamp } from "../core/timestamp/verify.ts";
import { parseTreeHead, type TreeHead } from "../core/tree-head.ts";
import { type Disk, makeFolder, replaceFile } from "./disk.ts";
import { LogError } from "./errors.ts";
import { TIMESTAMP_CRYPTO, type TimestampAuthority } from "./timestamp-client.ts";

/** Stronger than what the stamps of a list rest on, so that the list outlives it. */
const sha512 = (bytes: Uint8Array): string => createHash("sha512").update(bytes).digest("hex");

/** `<size>.note`: the signed checkpoint. `<size>.<authority>.tsr`: a stamp over the text of that note. */
const STAMP_NAME = /^(\d{1,16})\.([A-Za-z0-9][A-Za-z0-9_-]{0,62})\.tsr$/;
/** `renewal-<ms>.list` names stamps by their SHA-256; `renewal-<ms>.<authority>.tsr` is a stamp over that list. */
const RENEWAL_NAME = /^renewal-(\d{1,16})\.([A-Za-z0-9][A-Za-z0-9_-]{0,62})\.tsr$/;

/** What was stamped, and by whom. */
export interface StampName {
  /** File name of the response. */
  readonly file: string;
  /** File name of what it is about. */
  readonly about: string;
  readonly authority: string;
  /** Size of the stamped tree; null: a renewal. */
  readonly size: number | null;
}

export interface CheckedStamp extends StampName {
  readonly verified: VerifiedTimestamp;
  /** The stamped tree head; null: a renewal. */
  readonly head: TreeHead | null;
}

/** Null where the name is none of a stamp. */
export function stampNameOf(file: string): StampName | null {
  const [, size, authority] = STAMP_NAME.exec(file) ?? [];
  if (size !== undefined && authority !== undefined)
    return { file, about: `${size}.note`, authority, size: Number(size) };
  const [, ms, renewer] = RENEWAL_NAME.exec(file) ?? [];
  if (ms === undefined || renewer === undefined) return null;
  return { file, about: `renewal-${ms}.list`, authority: renewer, size: null };
}

export class TimestampFiles {
  readonly #disk: Disk;
  readonly #folder: string;

  /** `folder`: DataFolder.timestamps. */
  constructor(disk: Disk, folder: string) {
    this.#disk = disk;
    this.#folder = folder;
  }

  /** Stamps by name, the smaller tree first, renewals last. */
  async list(): Promise<StampName[]> {
    const names = (await this.#disk.list(this.#folder)).map(stampNameOf).filter((name) => name !== null);
    const rank = ({ size }: StampName): number => size ?? Number.MAX_SAFE_INTEGER;
    return names.sort((a, b) => rank(a) - rank(b) || (a.file < b.file ? -1 : 1));
  }

  /** Keeps a stamp over a checkpoint; the note first, so that no stamp is ever without what it is about. */
  async keep(note: string, size: number, authority: string, der: Uint8Array): Promise<void> {
    await this.#put(`${size}.note`, utf8(note));
    await this.#put(`${size}.${authority}.tsr`, der);
  }

  async keepRenewal(list: Uint8Array, timeMs: number, authority: string, der: Uint8Array): Promise<void> {
    await this.#put(`renewal-${timeMs}.list`, list);
    await this.#put(`renewal-${timeMs}.${authority}.tsr`, der);
  }

  /** A line for each stamp: the SHA-512 of its file in hexadecimal, two spaces, its name (as sha512sum writes it). */
  async renewalList(): Promise<Uint8Array> {
    const lines: string[] = [];
    for (const { file } of await this.list()) lines.push(`${sha512(await this.read(file))}  ${file}\n`);
    return utf8(lines.join(""));
  }

  /** Names that a renewal covers, whose digests fit. */
  async renewedBy(list: Uint8Array): Promise<Set<string>> {
    const covered = new Set<string>();
    for (const line of new TextDecoder().decode(list).split("\n")) {
      const [digest, file] = line.split("  ");
      if (file === undefined || stampNameOf(file) === null) continue;
      const bytes = await this.#disk.readFile(join(this.#folder, file));
      if (bytes !== null && sha512(bytes) === digest) covered.add(file);
    }
    return covered;
  }

  /** Throws `log.timestamp-invalid` where the file is missing. */
  async read(file: string): Promise<Uint8Array> {
    const bytes = await this.#disk.readFile(join(this.#folder, file));
    if (bytes === null) throw new LogError("log.timestamp-invalid", `expected ${file}, got no file`);
    return bytes;
  }

  /** The tree head of a `.note` file, unverified: the text is what the stamp covers. Throws `log.timestamp-invalid`. */
  async text(about: string): Promise<{ text: string; head: TreeHead }> {
    const note = parseNote(await this.read(about));
    const head = "fault" in note ? null : parseTreeHead(note.text);
    if ("fault" in note || head === null)
      throw new LogError("log.timestamp-invalid", `expected a checkpoint in ${about}, got something else`);
    return { text: note.text, head };
  }

  /** Verifies one stamp against its authority's roots. Throws `log.timestamp-invalid`. */
  async check(name: StampName, authorities: readonly TimestampAuthority[]): Promise<CheckedStamp> {
    const authority = authorities.find((one) => one.name === name.authority);
    const about = name.size === null ? null : await this.text(name.about);
    if (about !== null && about.head.size !== name.size)
      throw new LogError("log.timestamp-invalid", `expected the checkpoint of ${name.size} in ${name.about}`);
    const message = about === null ? await this.read(name.about) : utf8(about.text);
    const { roots = [], certificates = [] } = authority ?? {};
    const der = await this.read(name.file);
    const verified = await verifyTimestamp(der, { message, roots, certificates }, TIMESTAMP_CRYPTO);
    if ("fault" in verified)
      throw new LogError(
        "log.timestamp-invalid",
        `expected ${name.file} to be a timestamp over ${name.about}, got ${verified.fault}`,
      );
    return { ...name, verified, head: about?.head ?? null };
  }

  async #put(file: string, bytes: Uint8Array): Promise<void> {
    await makeFolder(this.#disk, this.#folder);
    await replaceFile(this.#disk, join(this.#folder, file), bytes);
  }
}
