// Cryptography of many records at once, in a form that can change threads: bytes and keys side by side, no objects.
import { Buffer } from "node:buffer";
import { createSecretKey, type KeyObject } from "node:crypto";
import { FIELDS } from "../core/record.ts";
import { sha256Base64url } from "../core/sha256.ts";
import type { FrameKind } from "./frame.ts";
import { RECORD_KEY_BYTES, type Sealed, sealPlain, unseal } from "./sealing.ts";

/** Records one after the other. Keys are wiped by whoever does the job. */
interface Records {
  /** Memory of its own: it is handed over. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where each record ends in `bytes`. */
  readonly ends: readonly number[];
  /** The key of each, 32 bytes. */
  readonly keys: Uint8Array<ArrayBuffer>;
}

/** Plaintexts to be encrypted and committed to. */
export interface SealJob extends Records {
  readonly type: "seal";
}

/** Ciphertexts to be held against what their leaves say of them. */
export interface CheckJob extends Records {
  readonly type: "check";
  readonly kinds: readonly FrameKind[];
  /** For each record its digest, then the commitments of its fields in the order of FIELDS. */
  readonly expected: readonly string[];
}

export type RecordJob = SealJob | CheckJob;

/** What sealing gave, record by record; `counts`: commitments of each. Null: one of them is no record of ours. */
export interface SealedRecords {
  readonly type: "seal";
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly ends: readonly number[];
  /** For each record its digest, then its commitments. */
  readonly hashes: readonly string[];
  readonly counts: readonly number[];
}

export interface CheckedRecords {
  readonly type: "check";
  /** Each has its digest, opens, and is what its leaf commits to. */
  readonly good: boolean;
}

/** What the threads answer. Null: the job could not be done, and whoever gave it does it alone. */
export type RecordResult = SealedRecords | CheckedRecords | null;

/** Does a job. Never throws. */
export function doJob(job: RecordJob): RecordResult {
  try {
    return job.type === "seal" ? sealRecords(job) : { type: "check", good: recordsFit(job) };
  } catch {
    return null;
  } finally {
    job.keys.fill(0);
  }
}

/** Gathers records for a job. */
export class JobBuilder {
  readonly #keys: Buffer<ArrayBuffer>;
  readonly #bytes: Buffer<ArrayBuffer>;
  readonly #ends: number[] = [];
  #used = 0;

  /** Room for `records` of `bytes` together. */
  constructor(records: number, bytes: number) {
    this.#keys = Buffer.allocUnsafeSlow(records * RECORD_KEY_BYTES);
    this.#bytes = Buffer.allocUnsafeSlow(bytes);
  }

  /** Where the next record's key is to be written. */
  get keys(): Buffer {
    return this.#keys;
  }
  get keyAt(): number {
    return this.#ends.length * RECORD_KEY_BYTES;
  }

  /** Adds a record; its key was written at `keyAt`. */
  add(record: Uint8Array): void {
    this.#bytes.set(record, this.#used);
    this.#used += record.length;
    this.#ends.push(this.#used);
  }

  take(): Records {
    return { bytes: this.#bytes.subarray(0, this.#used), ends: this.#ends, keys: this.#keys };
  }
}

/** The parts of one record of a result. */
export function* sealedParts({ bytes, ends, hashes, counts }: SealedRecords): Generator<Sealed> {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  let start = 0;
  let at = 0;
  for (const [i, end] of ends.entries()) {
    const next = at + 1 + (counts[i] ?? 0);
    const commitments = hashes.slice(at + 1, next);
    yield { sealed: all.subarray(start, end), digest: hashes[at] ?? "", commitments };
    start = end;
    at = next;
  }
}

function* recordsOf({ bytes, ends, keys }: Records): Generator<{ record: Buffer; key: KeyObject }> {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  let start = 0;
  for (const [i, end] of ends.entries()) {
    const key = createSecretKey(keys.subarray(i * RECORD_KEY_BYTES, (i + 1) * RECORD_KEY_BYTES));
    yield { record: all.subarray(start, end), key };
    start = end;
  }
}

function sealRecords(job: SealJob): SealedRecords | null {
  const parts: Sealed[] = [];
  for (const { record, key } of recordsOf(job)) {
    const sealed = sealPlain(record, key);
    if (sealed === null) return null;
    parts.push(sealed);
  }
  const bytes = Buffer.allocUnsafeSlow(parts.reduce((sum, { sealed }) => sum + sealed.length, 0));
  const ends: number[] = [];
  let used = 0;
  for (const { sealed } of parts) {
    used += sealed.copy(bytes, used);
    ends.push(used);
  }
  const hashes = parts.flatMap(({ digest, commitments }) => [digest, ...commitments]);
  return { type: "seal", bytes, ends, hashes, counts: parts.map(({ commitments }) => commitments.length) };
}

function recordsFit(job: CheckJob): boolean {
  let at = 0;
  let i = 0;
  for (const { record, key } of recordsOf(job)) {
    const fields = FIELDS[job.kinds[i++] ?? "act"];
    if (sha256Base64url(record) !== job.expected[at++]) return false;
    const unsealed = unseal(key, record, { commitments: true });
    if (unsealed?.commitments.size !== fields.length) return false;
    for (const field of fields) if (unsealed.commitments.get(field) !== job.expected[at++]) return false;
  }
  return i === job.kinds.length && at === job.expected.length;
}
