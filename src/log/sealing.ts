// The cryptography of one record: fields to commitments and ciphertext, and back.
import { Buffer } from "node:buffer";
import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from "node:crypto";
import {
  layOpening,
  openingBytes,
  openingEnd,
  readOpening,
  SALT_BYTES,
  VALUE_BEHIND_SALT,
} from "../core/commitment.ts";
import { FIELDS, type FieldValue } from "../core/record.ts";
import { sha256Base64url, sha256Into } from "../core/sha256.ts";
import { LogError } from "./errors.ts";
import { type Frame, type FrameKind, writeText } from "./frame.ts";
import type { Keyring } from "./keyring.ts";
import { RandomPool } from "./random-pool.ts";

export const NONCE_BYTES = 32;
export const TAG_BYTES = 16;
export const RECORD_KEY_BYTES = 32;
const LABEL = Buffer.from("adyton record key v1");
/** Each record key encrypts exactly one message, so the GCM nonce may be constant. */
const ZERO_IV = Buffer.alloc(12);
const DECIPHER = { authTagLength: TAG_BYTES };

/** Scratch of `recordKey`: what is hashed, and the key, which `createSecretKey` copies. */
const keyInput = Buffer.alloc(4 + 32 + LABEL.length + NONCE_BYTES);
keyInput.writeUInt32BE(1, 0);
LABEL.copy(keyInput, 36);
const keyBytes = Buffer.alloc(RECORD_KEY_BYTES);

/**
 * Key of one record: SHA-256(00000001 || account key || label || nonce), the one-step derivation of NIST SP 800-56C
 * rev. 2 section 4. Without the 32 random bytes of the nonce the key is lost even to who holds the account's key: that
 * is how a single record is erased. Unlike wrapping it has no limit on records per account key, and costs one hash.
 */
export function recordKey(accountKey: Buffer, nonce: Uint8Array): KeyObject {
  writeRecordKey(keyBytes, 0, { accountKey, nonce });
  return createSecretKey(keyBytes); // a KeyObject: Node takes 30 us more for a cipher made from bytes
}

/** The same key as 32 bytes at `target[at…]`, for another thread. */
export function writeRecordKey(
  target: Buffer,
  at: number,
  { accountKey, nonce }: { accountKey: Buffer; nonce: Uint8Array },
): void {
  accountKey.copy(keyInput, 4);
  keyInput.set(nonce, 36 + LABEL.length);
  sha256Into(target, at, keyInput);
}

/** Plaintext of a record: account id, then each field's opening. */
export interface PlainRecord {
  /** Empty: the installation's own. */
  readonly account: string;
  readonly accountBytes: number;
  readonly names: readonly string[];
  readonly fields: readonly FieldValue[];
}

/** Bytes that `writePlain` will write. */
export function plainBytes({ accountBytes, names, fields }: PlainRecord): number {
  let bytes = 2 + accountBytes;
  for (let i = 0; i < fields.length; i++)
    bytes += openingBytes((names[i] ?? "").length, valueBytes(fields[i] as FieldValue));
  return bytes;
}

function valueBytes(value: FieldValue): number {
  return typeof value === "string" ? Buffer.byteLength(value) : value.length;
}

/** Writes the plaintext at `target[at…]`. `random`: gives each field its salt. */
export function writePlain(target: Buffer, at: number, record: PlainRecord, random: RandomPool): void {
  const { account, accountBytes, names, fields } = record;
  let offset = target.writeUInt16BE(accountBytes, at);
  offset += writeText(target, offset, account, accountBytes);
  for (let i = 0; i < fields.length; i++) {
    const value = fields[i] as FieldValue; // below the length
    const bytes = valueBytes(value);
    const saltAt = layOpening(target, offset, names[i] ?? "", bytes);
    random.fill(target, saltAt, SALT_BYTES);
    offset = saltAt + VALUE_BEHIND_SALT;
    if (typeof value === "string") writeText(target, offset, value, bytes);
    else target.set(value, offset);
    offset += bytes;
  }
}

/** What encrypting a record gives. */
export interface Sealed {
  /** One for each field, in the order of the record. */
  readonly commitments: readonly string[];
  /** Ciphertext and tag. */
  readonly sealed: Buffer;
  /** SHA-256 of `sealed`, base64url. */
  readonly digest: string;
}

/** A record under its own key, as packs keep it and leaves describe it. */
export interface SealedFrame extends Sealed {
  readonly kind: FrameKind;
  readonly sequence: number;
  readonly timeMs: number;
  /** Exchange id, or the act's name. */
  readonly name: string;
  readonly pseudonym: Buffer;
  readonly keyId: Buffer;
  readonly nonce: Buffer;
}

/** Encrypts the plaintext of a record and commits to each of its fields. Null: it is none of ours. */
export function sealPlain(plain: Buffer, key: KeyObject): Sealed | null {
  const commitments: string[] = [];
  for (let at = accountEnd(plain); at < plain.length; ) {
    const end = openingEnd(plain, at);
    if (end === null) return null;
    commitments.push(sha256Base64url(plain.subarray(at, end)));
    at = end;
  }
  const cipher = createCipheriv("aes-256-gcm", key, ZERO_IV);
  const encrypted = cipher.update(plain);
  cipher.final();
  const sealed = Buffer.concat([encrypted, cipher.getAuthTag()]);
  return { commitments, sealed, digest: sha256Base64url(sealed) };
}

function accountEnd(plain: Buffer): number {
  return 2 + plain.readUInt16BE(0);
}

/** A record's key material before it is encrypted. */
export interface KeyedFrame {
  readonly frame: Frame;
  readonly pseudonym: Buffer;
  readonly keyId: Buffer;
  readonly nonce: Buffer;
}

/** Gives each record a key of its own and encrypts it. */
export class FrameSealer {
  readonly #keys: Keyring;
  readonly #random: RandomPool = new RandomPool();

  constructor(keys: Keyring) {
    this.#keys = keys;
  }

  /** Throws LogError: `log.damaged` when the plaintext is none of ours, `log.key-store-failed`. */
  seal(frame: Frame): SealedFrame {
    const keyed = this.key(frame, keyBytes, 0);
    return finished(keyed, sealPlain(frame.plain, createSecretKey(keyBytes)));
  }

  /** Draws a nonce and writes the record's key at `target[at…]`: for whoever encrypts it. */
  key(frame: Frame, target: Buffer, at: number): KeyedFrame {
    const end = accountEnd(frame.plain);
    const account = end === 2 ? null : frame.plain.toString("utf8", 2, end);
    const { pseudonym, keyId, key } = this.#keys.forWriting(account);
    const nonce = Buffer.from(this.#random.take(NONCE_BYTES));
    writeRecordKey(target, at, { accountKey: key, nonce });
    return { frame, pseudonym, keyId, nonce };
  }
}

/** Puts together what was encrypted elsewhere. Throws LogError `log.damaged`. */
export function finished(keyed: KeyedFrame, parts: Sealed | null): SealedFrame {
  const { frame, pseudonym, keyId, nonce } = keyed;
  const { kind, sequence, timeMs, name } = frame;
  if (parts?.commitments.length !== FIELDS[kind].length) throw damaged(frame);
  const { commitments, sealed, digest } = parts;
  return { kind, sequence, timeMs, name, pseudonym, keyId, nonce, commitments, sealed, digest };
}

function damaged({ kind, sequence }: Frame): LogError {
  return new LogError(
    "log.damaged",
    `expected the fields of a record ${kind}, got other bytes at ${sequence}`,
  );
}

/** A record laid open. */
export interface Unsealed {
  readonly account: string | null;
  readonly content: Map<string, Uint8Array>;
  readonly salts: Map<string, Uint8Array>;
  /** Commitment of each field in base64url, derived from what was decrypted. Empty when they were not asked for. */
  readonly commitments: Map<string, string>;
}

/** Decrypts ciphertext || tag under the record's key. Null when the key does not fit or the bytes were changed. */
export function unseal(key: KeyObject, sealed: Buffer, options: { commitments: boolean }): Unsealed | null {
  if (sealed.length < TAG_BYTES + 2) return null;
  const decipher = createDecipheriv("aes-256-gcm", key, ZERO_IV, DECIPHER);
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  const plain = decipher.update(sealed.subarray(0, sealed.length - TAG_BYTES));
  try {
    decipher.final();
  } catch {
    return null;
  }
  const accountBytes = plain.readUInt16BE(0);
  let offset = 2 + accountBytes;
  const account = accountBytes === 0 ? null : plain.toString("utf8", 2, offset);
  const content = new Map<string, Uint8Array>();
  const salts = new Map<string, Uint8Array>();
  const commitments = new Map<string, string>();
  while (offset < plain.length) {
    const opening = readOpening(plain, offset);
    if (opening === null) return null;
    content.set(opening.field, opening.value);
    salts.set(opening.field, opening.salt);
    if (options.commitments)
      commitments.set(opening.field, sha256Base64url(plain.subarray(offset, opening.end)));
    offset = opening.end;
  }
  return { account, content, salts, commitments };
}
