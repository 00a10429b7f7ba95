// A leaf: the public part of a record, canonical JSON of a few hundred bytes, which is what the tree hashes.
import { Buffer } from "node:buffer";
import { base64urlBytes, utf8, utf8Text } from "./bytes.ts";
import { FIELDS, type RecordKind } from "./record.ts";
import { MAX_ENTRY_BYTES } from "./tiles.ts";

/** Longest exchange id, writer, node or act name, in UTF-8 bytes. */
export const MAX_NAME_BYTES = 255;

/** Absent members are absent in the JSON, never null. */
export interface Leaf {
  readonly v: 1;
  readonly kind: RecordKind;
  /** Installation that sealed it. */
  readonly node: string;
  /** Who wrote the frame; `incarnation` and `seq` make it unique. An `interrupted` leaf repeats its open's three. */
  readonly writer: string;
  readonly incarnation: number;
  readonly seq: number;
  /** ISO 8601 UTC with milliseconds. */
  readonly time: string;
  readonly exchange?: string;
  readonly act?: string;
  /** Pseudonym, `p_` and 22 characters; absent: the installation itself. */
  readonly account?: string;
  /** Leaf index of the open that this close or interruption ends. */
  readonly open?: number;
  /** On acts `log.write-failed` and `log.damaged`: how many sequence numbers from `seq` on are missing. */
  readonly gap?: number;
  /** Commitment of each field, base64url. */
  readonly commit?: Readonly<Record<string, string>>;
  /** SHA-256 of the ciphertext, base64url, and its length. */
  readonly digest?: string;
  readonly bytes?: number;
}

const quote = JSON.stringify;

/** A flat object of strings; the general writer takes ten times as long. */
function commitJson(commit: Readonly<Record<string, string>>): string {
  let json = "";
  for (const name of Object.keys(commit).sort())
    json += `${json && ","}${quote(name)}:${quote(commit[name])}`;
  return `{${json}}`;
}

/** Canonical JSON (RFC 8785) of a leaf. Throws RangeError beyond 65,535 bytes. */
export function encodeLeaf(leaf: Leaf): Uint8Array {
  let json = "{";
  if (leaf.account !== undefined) json += `"account":${quote(leaf.account)},`;
  if (leaf.act !== undefined) json += `"act":${quote(leaf.act)},`;
  if (leaf.bytes !== undefined) json += `"bytes":${leaf.bytes},`;
  if (leaf.commit !== undefined) json += `"commit":${commitJson(leaf.commit)},`;
  if (leaf.digest !== undefined) json += `"digest":${quote(leaf.digest)},`;
  if (leaf.exchange !== undefined) json += `"exchange":${quote(leaf.exchange)},`;
  if (leaf.gap !== undefined) json += `"gap":${leaf.gap},`;
  json += `"incarnation":${leaf.incarnation},"kind":"${leaf.kind}","node":${quote(leaf.node)},`;
  if (leaf.open !== undefined) json += `"open":${leaf.open},`;
  json += `"seq":${leaf.seq},"time":"${leaf.time}","v":1,"writer":${quote(leaf.writer)}}`;
  const bytes = Buffer.from(json); // from the pool: a leaf of its own memory costs more than all the rest
  if (bytes.length > MAX_ENTRY_BYTES)
    throw new RangeError(`expected a leaf of at most ${MAX_ENTRY_BYTES} bytes, got ${bytes.length}`);
  return bytes;
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
const isName = (value: unknown): value is string =>
  typeof value === "string" &&
  value.length > 0 &&
  value.isWellFormed() &&
  utf8(value).length <= MAX_NAME_BYTES;
const isHash = (value: unknown): boolean => typeof value === "string" && base64urlBytes(value)?.length === 32;
const isPseudonym = (value: unknown): boolean =>
  typeof value === "string" && value.startsWith("p_") && base64urlBytes(value.slice(2))?.length === 16;

function isTime(value: unknown): value is string {
  if (typeof value !== "string") return false;
  const time = new Date(value);
  return !Number.isNaN(time.getTime()) && time.toISOString() === value;
}

/** Shape of each optional member; which kinds carry it is checked in `fitsKind`. */
const OPTIONAL: Readonly<Record<string, (value: unknown) => boolean>> = {
  exchange: isName,
  act: isName,
  account: isPseudonym,
  open: isCount,
  gap: isCount,
  digest: isHash,
  bytes: isCount,
  commit: () => true,
};

function fitsKind(leaf: Leaf): boolean {
  const sealed = leaf.digest !== undefined && leaf.bytes !== undefined && leaf.commit !== undefined;
  const bare = leaf.digest === undefined && leaf.bytes === undefined && leaf.commit === undefined;
  if (!sealed && !bare) return false;
  if (leaf.kind === "interrupted") return bare && leaf.exchange !== undefined && leaf.open !== undefined;
  const hasExchange = leaf.exchange !== undefined;
  if (leaf.kind === "act" ? hasExchange || leaf.act === undefined : !hasExchange || leaf.act !== undefined)
    return false;
  if (leaf.kind !== "close" && leaf.open !== undefined) return false;
  if ((leaf.gap !== undefined) !== bare || (bare && leaf.kind !== "act")) return false;
  if (leaf.commit === undefined) return true;
  const names = Object.keys(leaf.commit);
  const fields: readonly string[] = FIELDS[leaf.kind];
  return names.length === fields.length && fields.every((field) => isHash(leaf.commit?.[field]));
}

/**
 * Reads a leaf, or null: anything that this version would not have written, to the byte, is refused. Nearly all leaves
 * are plain and are read in one pass; the rest go the long way.
 */
export function parseLeaf(bytes: Uint8Array): Leaf | null {
  const text = utf8Text(bytes);
  return text === null ? null : (readPlainLeaf(text) ?? readAnyLeaf(text));
}

/** The long way: parsed as JSON, every member checked, and the whole compared with its own encoding. */
export function readAnyLeaf(text: string): Leaf | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  // The members are checked one by one below and the whole is compared with its own encoding.
  const leaf = value as Leaf;
  const kinds: readonly string[] = ["open", "close", "interrupted", "act"];
  if (leaf.v !== 1 || !kinds.includes(leaf.kind) || !isName(leaf.node) || !isName(leaf.writer)) return null;
  if (!isCount(leaf.incarnation) || !isCount(leaf.seq) || !isTime(leaf.time)) return null;
  for (const [name, check] of Object.entries(OPTIONAL)) {
    const member: unknown = Reflect.get(leaf, name);
    if (member !== undefined && !check(member)) return null;
  }
  if (leaf.commit !== undefined && (typeof leaf.commit !== "object" || leaf.commit === null)) return null;
  if (!fitsKind(leaf)) return null;
  return utf8Text(encodeLeaf(leaf)) === text ? leaf : null;
}

/** Parts of the pattern, each with one spelling a value: no escapes, no stray bits, no leading zeroes. */
const HASH = "([A-Za-z0-9_-]{42}[AEIMQUYcgkosw048])";
const COUNT = "(0|[1-9][0-9]{0,14})";
const NAME = "([ !#-\\[\\]-~]{1,255})";
const DAY = "[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])";
const TIME = `(${DAY}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\\.[0-9]{3}Z)`;
const COMMIT = [
  `"figures":"${HASH}","headers":"${HASH}","response":"${HASH}"`,
  `"detail":"${HASH}"`,
  `"headers":"${HASH}","network":"${HASH}","request":"${HASH}"`,
].join("|");

/** Canonical leaves with content, as a pattern: what it matches is its own encoding and need not be compared with it. */
const PLAIN_LEAF = new RegExp(
  `^\\{(?:"account":"(p_[A-Za-z0-9_-]{21}[AQgw])",)?(?:"act":"${NAME}",)?"bytes":${COUNT},` +
    `"commit":\\{(?:${COMMIT})\\},"digest":"${HASH}",(?:"exchange":"${NAME}",)?"incarnation":${COUNT},` +
    `"kind":"(open|close|act)","node":"${NAME}",(?:"open":${COUNT},)?"seq":${COUNT},"time":"${TIME}","v":1,` +
    `"writer":"${NAME}"\\}$`,
);

/** The leaf of a text that is plain: with content, its names printable ASCII without quotes and backslashes. Else null. */
export function readPlainLeaf(text: string): Leaf | null {
  const match = PLAIN_LEAF.exec(text);
  if (match === null) return null;
  const [, account, act, bytes, figures, closeHeaders, response, detail, openHeaders, network, request] =
    match;
  const [digest = "", exchange, incarnation, kind, node = "", open, seq, time = "", writer = ""] =
    match.slice(11);
  if (time.slice(8, 10) > "28" && !isTime(time)) return null; // a day that its month may lack
  const base = { v: 1, node, writer, incarnation: Number(incarnation), seq: Number(seq), time } as const;
  const sealed = { ...base, digest, bytes: Number(bytes) };
  const leaf: { -readonly [Member in keyof Leaf]: Leaf[Member] } | null =
    kind === "open" && request !== undefined && openHeaders !== undefined && network !== undefined
      ? { ...sealed, kind, commit: { headers: openHeaders, network, request } }
      : kind === "close" && figures !== undefined && closeHeaders !== undefined && response !== undefined
        ? { ...sealed, kind, commit: { figures, headers: closeHeaders, response } }
        : kind === "act" && detail !== undefined
          ? { ...sealed, kind, commit: { detail } }
          : null;
  if (leaf === null) return null;
  if (
    leaf.kind === "act"
      ? exchange !== undefined || act === undefined
      : exchange === undefined || act !== undefined
  )
    return null;
  if (open !== undefined && kind !== "close") return null;
  if (account !== undefined) leaf.account = account;
  if (act !== undefined) leaf.act = act;
  if (exchange !== undefined) leaf.exchange = exchange;
  if (open !== undefined) leaf.open = Number(open);
  return leaf;
}
