// Account keys: made on first use, wrapped by the installation's key, cached, and destroyed to erase.
import { Buffer } from "node:buffer";
import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from "node:crypto";
import { closeSync, existsSync, openSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { DataFolder } from "../config/data-folder.ts";
import { sha256 } from "../core/sha256.ts";
import { ED25519_NOTE, ML_DSA_44_COSIGNATURE, type VerifierKey, verifierKey } from "../core/verifier-key.ts";
import { LogError } from "./errors.ts";
import { checkMode, type InstallationKeys, type KeyStore, type SigningPublicKeys } from "./key-store.ts";
import { RandomPool } from "./random-pool.ts";
import type { NoteSigner } from "./signing.ts";
import { keyStoreOf } from "./token-key-store.ts";

/** Account keys kept unwrapped in memory, for writing and for reading each; about 300 bytes apiece. */
const MAX_CACHED_KEYS = 65_536;
/** How often another process's erasures are looked for. */
const REFRESH_MS = 500;
const BUSY_TIMEOUT_MS = 10_000;
/** Each waits for the busy timeout. */
const CHECKPOINT_ATTEMPTS = 3;
const KEY_BYTES = 32;
const PSEUDONYM_BYTES = 16;
export const KEY_ID_BYTES = 8;

/** The installation's own records (acts about no account) are kept under this pseudonym. */
export const INSTALLATION_PSEUDONYM: Buffer = Buffer.alloc(PSEUDONYM_BYTES);

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS account_keys (
    pseudonym BLOB NOT NULL, key_id BLOB NOT NULL, wrapped BLOB, created_ms INTEGER NOT NULL, destroyed_ms INTEGER,
    PRIMARY KEY (pseudonym, key_id)
  ) WITHOUT ROWID;`;

/** An account's key as the writer uses it. */
export interface AccountKey {
  readonly pseudonym: Buffer;
  readonly keyId: Buffer;
  readonly key: Buffer;
}

/** `destroyed`: on purpose, to erase an account. `missing`: the key was never here, or an older copy of the keys is. */
export type MissingKey = "destroyed" | "missing";

/** `p_` and the pseudonym in base64url: how a leaf names an account. */
export function pseudonymText(pseudonym: Buffer): string {
  return `p_${pseudonym.toString("base64url")}`;
}

function pseudonymBytes(text: string): Buffer {
  return Buffer.from(text.slice("p_".length), "base64url");
}

/** Verifier keys of a pair that signs together, in the order of its signatures. */
export function publicKeys(origin: string, { ed25519, mldsa44 }: SigningPublicKeys): VerifierKey[] {
  const first = verifierKey(origin, ED25519_NOTE, ed25519);
  return mldsa44 === null ? [first] : [first, verifierKey(origin, ML_DSA_44_COSIGNATURE, mldsa44)];
}

function bounded<K, V>(map: Map<K, V>, key: K, value: V): V {
  if (map.size >= MAX_CACHED_KEYS) {
    const oldest = map.keys().next();
    if (!oldest.done) map.delete(oldest.value);
  }
  map.set(key, value);
  return value;
}

export class Keyring {
  readonly node: string;
  readonly #keys: InstallationKeys;
  readonly #database: DatabaseSync;
  readonly #statements: {
    insert: StatementSync;
    newest: StatementSync;
    find: StatementSync;
    version: StatementSync;
  };
  readonly #random: RandomPool = new RandomPool();
  readonly #clock: () => number;
  readonly #writing: Map<string, AccountKey> = new Map();
  readonly #reading: Map<string, Buffer | MissingKey> = new Map();
  readonly #timer: NodeJS.Timeout;
  #unsaved: { pseudonym: Buffer; keyId: Buffer; wrapped: Buffer }[] = [];
  #version = -1;
  #checkedAtMs = 0;

  private constructor(keys: InstallationKeys, database: DatabaseSync, clock: () => number) {
    this.node = keys.node;
    this.#keys = keys;
    this.#database = database;
    this.#clock = clock;
    this.#statements = {
      insert: database.prepare(
        "INSERT INTO account_keys (pseudonym, key_id, wrapped, created_ms) VALUES (?, ?, ?, ?)",
      ),
      newest: database.prepare(
        "SELECT key_id, wrapped FROM account_keys WHERE pseudonym = ? AND wrapped IS NOT NULL ORDER BY created_ms DESC LIMIT 1",
      ),
      find: database.prepare(
        "SELECT wrapped, destroyed_ms FROM account_keys WHERE pseudonym = ? AND key_id = ?",
      ),
      version: database.prepare("PRAGMA data_version"),
    };
    // Also a process that has nothing to do must forget a key that another one destroyed.
    this.#timer = setInterval(() => this.#look(), REFRESH_MS).unref();
  }

  /**
   * Opens the keys of a data folder and makes them on first use. Throws LogError: `log.key-mode` when others may read
   * them, `log.key-lost` and `log.key-wrong` when they don't fit the data, `log.key-malformed`.
   */
  static async open(options: { folder: string; store?: KeyStore; clock?: () => number }): Promise<Keyring> {
    const folder = new DataFolder(options.folder);
    const store = options.store ?? (await keyStoreOf(folder));
    const inUse = existsSync(folder.accountKeys) || existsSync(folder.checkpoint);
    // Of two processes that start at once one makes the key file, which always comes before the others.
    const keys = await store.load({ create: !inUse });
    if (keys === null)
      throw new LogError(
        "log.key-lost",
        `expected ${folder.installationKey}, got nothing, but the log holds data`,
      );
    closeSync(openSync(folder.accountKeys, "a", 0o600));
    await checkMode(folder.accountKeys);
    return new Keyring(keys, openDatabase(folder.accountKeys, keys), options.clock ?? Date.now);
  }

  /** Default origin line of the log. */
  get origin(): string {
    return `adyton.local/${this.node}`;
  }

  /** Those who sign checkpoints of `origin`: Ed25519 first, then ML-DSA-44 where the installation has such a key. */
  signers(origin: string = this.origin): NoteSigner[] {
    const { signer, postQuantumSigner } = this.#keys;
    const ed25519 = { key: verifierKey(origin, ED25519_NOTE, signer.publicKey), signingKey: signer };
    if (postQuantumSigner === null) return [ed25519];
    const key = verifierKey(origin, ML_DSA_44_COSIGNATURE, postQuantumSigner.publicKey);
    return [ed25519, { key, signingKey: postQuantumSigner }];
  }

  /** The keys that checkpoints of `origin` are signed with, in the order of their signatures. */
  currentKeys(origin: string = this.origin): VerifierKey[] {
    return this.signers(origin).map(({ key }) => key);
  }

  /** The keys that checkpoints of `origin` are verified with: those of today, then those that signed before. */
  verifierKeys(origin: string = this.origin): VerifierKey[] {
    const former = this.#keys.former.flatMap((keys) => publicKeys(origin, keys));
    return [...this.currentKeys(origin), ...former];
  }

  /** Pseudonym of an account: HMAC-SHA-256 under an installation secret, first 16 bytes. */
  pseudonymOf(account: string): string {
    return pseudonymText(this.#pseudonym(account));
  }

  /**
   * A secret of this installation for one purpose (keyed features, keyed hashes of clients' own keys): 32 bytes, HKDF
   * (RFC 5869) over the pseudonym secret. Different purposes give unrelated secrets; the same one always the same.
   */
  purposeKey(purpose: string): Buffer {
    return Buffer.from(hkdfSync("sha256", this.#keys.pseudonymKey, "", `adyton ${purpose} v1`, KEY_BYTES));
  }

  /** What the keys of write-ahead segments are derived from: 32 bytes. */
  get writeAheadKey(): Buffer {
    return this.purposeKey("write-ahead segments");
  }

  /**
   * The key to write an account's records with; null: the installation's own. A key made here is in memory only until
   * `save` returns, which must happen before any record under it is durable.
   */
  forWriting(account: string | null): AccountKey {
    this.#refresh();
    const name = account === null ? "" : `a${account}`;
    const known = this.#writing.get(name);
    if (known !== undefined) return known;
    const pseudonym = account === null ? INSTALLATION_PSEUDONYM : this.#pseudonym(account);
    const row = this.#statements.newest.get(pseudonym);
    if (row !== undefined) {
      const stored = Buffer.from(row["key_id"] as Uint8Array);
      const key = this.#unwrap(pseudonym, stored, row["wrapped"] as Uint8Array);
      return bounded(this.#writing, name, { pseudonym, keyId: stored, key });
    }
    const key = Buffer.from(this.#random.take(KEY_BYTES));
    const keyId = Buffer.from(this.#random.take(KEY_ID_BYTES));
    this.#unsaved.push({ pseudonym, keyId, wrapped: this.#wrap(pseudonym, keyId, key) });
    return bounded(this.#writing, name, { pseudonym, keyId, key });
  }

  /** Makes new account keys durable, in one transaction. Cheap when there are none. Throws `log.key-store-failed`. */
  save(): void {
    if (this.#unsaved.length === 0) return;
    try {
      this.#database.exec("BEGIN IMMEDIATE");
      for (const row of this.#unsaved)
        this.#statements.insert.run(row.pseudonym, row.keyId, row.wrapped, Math.floor(this.#clock()));
      this.#database.exec("COMMIT");
      this.#unsaved = [];
    } catch (cause) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw new LogError("log.key-store-failed", "could not save account keys", { cause });
    }
  }

  /** The key that a sealed record names, or why it is not here. */
  forReading(pseudonym: Buffer, keyId: Buffer): Buffer | MissingKey {
    this.#refresh();
    const name = keyId.toString("latin1");
    const known = this.#reading.get(name);
    if (known !== undefined) return known;
    const row = this.#statements.find.get(pseudonym, keyId);
    const wrapped = row?.["wrapped"];
    if (wrapped instanceof Uint8Array)
      return bounded(this.#reading, name, this.#unwrap(pseudonym, keyId, wrapped));
    return bounded(this.#reading, name, row === undefined ? "missing" : "destroyed");
  }

  /** Ids of the keys of an account that are not destroyed, base64url. `pseudonym`: as leaves write it. */
  keyIdsOf(pseudonym: string): string[] {
    const rows = this.#database
      .prepare("SELECT key_id FROM account_keys WHERE pseudonym = ? AND wrapped IS NOT NULL ORDER BY key_id")
      .all(pseudonymBytes(pseudonym));
    return rows.map((row) => Buffer.from(row["key_id"] as Uint8Array).toString("base64url"));
  }

  /**
   * Destroys keys of an account: what was written under them can't be read again, by anyone. Their bytes are
   * overwritten, and the database's write-ahead log is emptied of them. Throws `log.key-store-failed` when other
   * processes keep that from being finished; it can be called again. Returns how many it destroyed.
   */
  destroyKeys(pseudonym: string, keyIds: readonly string[]): number {
    const destroy = this.#database.prepare(
      "UPDATE account_keys SET wrapped = NULL, destroyed_ms = ? WHERE pseudonym = ? AND key_id = ? AND wrapped IS NOT NULL",
    );
    const bytes = pseudonymBytes(pseudonym);
    let destroyed = 0;
    for (const keyId of keyIds)
      destroyed += Number(
        destroy.run(Math.floor(this.#clock()), bytes, Buffer.from(keyId, "base64url")).changes,
      );
    this.#forget();
    emptyWriteAheadLog(this.#database);
    return destroyed;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#forget();
    this.#database.close();
  }

  #pseudonym(account: string): Buffer {
    return createHmac("sha256", this.#keys.pseudonymKey)
      .update(account)
      .digest()
      .subarray(0, PSEUDONYM_BYTES);
  }

  /** A look that fails leaves nothing undone: the next use of a key looks again, and says what is wrong. */
  #look(): void {
    try {
      this.#refresh();
    } catch {
      this.#forget();
    }
  }

  #refresh(): void {
    const now = this.#clock();
    if (now - this.#checkedAtMs < REFRESH_MS && now >= this.#checkedAtMs) return;
    this.#checkedAtMs = now;
    const version = Number(this.#statements.version.get()?.["data_version"]);
    if (version === this.#version) return;
    this.#version = version;
    if (this.#unsaved.length === 0) this.#forget();
    else this.#version = -1; // keys that only memory holds must not be lost: look again after `save`
  }

  /** Nobody keeps a key beyond the call that asked for it, so they can be wiped in place. */
  #forget(): void {
    for (const { key } of this.#writing.values()) key.fill(0);
    for (const key of this.#reading.values()) if (typeof key !== "string") key.fill(0);
    this.#writing.clear();
    this.#reading.clear();
  }

  /** AES-256-GCM under the installation's key, bound to whose key it is: nonce (12), ciphertext (32), tag (16). */
  #wrap(pseudonym: Buffer, keyId: Buffer, key: Buffer): Buffer {
    const nonce = Buffer.from(this.#random.take(12));
    const cipher = createCipheriv("aes-256-gcm", this.#keys.kek, nonce);
    cipher.setAAD(Buffer.concat([pseudonym, keyId]));
    return Buffer.concat([nonce, cipher.update(key), cipher.final(), cipher.getAuthTag()]);
  }

  #unwrap(pseudonym: Buffer, keyId: Buffer, wrapped: Uint8Array): Buffer {
    try {
      const decipher = createDecipheriv("aes-256-gcm", this.#keys.kek, wrapped.subarray(0, 12), {
        authTagLength: 16,
      });
      decipher.setAAD(Buffer.concat([pseudonym, keyId]));
      decipher.setAuthTag(wrapped.subarray(44));
      return Buffer.concat([decipher.update(wrapped.subarray(12, 44)), decipher.final()]);
    } catch (cause) {
      throw new LogError("log.key-store-failed", "expected a wrapped account key, got damaged bytes", {
        cause,
      });
    }
  }
}

/** Pages with old content must not survive in the write-ahead log; readers may keep it busy for a moment. */
function emptyWriteAheadLog(database: DatabaseSync): void {
  for (let attempt = 1; ; attempt++) {
    if (Number(database.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get()?.["busy"]) === 0) return;
    if (attempt === CHECKPOINT_ATTEMPTS)
      throw new LogError(
        "log.key-store-failed",
        "expected the write-ahead log of the keys to be emptied, got readers that hold it; try again",
      );
  }
}

function openDatabase(path: string, keys: InstallationKeys): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
  // WAL lets gateways read while one of them adds a key; secure_delete overwrites destroyed keys with zeroes.
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;");
  database.exec(SCHEMA);
  const check = sha256(Buffer.concat([Buffer.from("adyton key check v1\0"), keys.kek]));
  database.prepare("INSERT OR IGNORE INTO meta (name, value) VALUES ('check', ?)").run(check);
  const stored = database.prepare("SELECT value FROM meta WHERE name = 'check'").get()?.["value"];
  if (!(stored instanceof Uint8Array) || !check.equals(stored)) {
    database.close();
    throw new LogError(
      "log.key-wrong",
      `expected the installation key that ${path} was made with, got another`,
    );
  }
  return database;
}
