// Where the installation's secrets live: a file by default, behind a port that a KMS or PKCS#11 token can fill.
import type { Buffer } from "node:buffer";
import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { chmod, link, mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { z } from "zod";
import { diskError, LogError } from "./errors.ts";
import { FolderLock } from "./folder-lock.ts";
import {
  base64Field,
  ED25519_PAIR,
  ed25519Key,
  freshEd25519,
  freshMlDsa44,
  ML_DSA_44_PAIR,
  mlDsa44Key,
  type SigningKey,
} from "./signing.ts";

/** What the log needs to know, in clear, while it runs. */
export interface InstallationKeys {
  /** Public id of the installation: 16 hexadecimal characters. */
  readonly node: string;
  /** Wraps account keys: 32 bytes. */
  readonly kek: Buffer;
  /** Keys the pseudonyms of accounts: 32 bytes. */
  readonly pseudonymKey: Buffer;
  /** Signs checkpoints, Ed25519: what every reader and witness of a tlog-tiles log expects. */
  readonly signer: SigningKey;
  /** Signs them against quantum computers too, ML-DSA-44; null where a token has no such key. */
  readonly postQuantumSigner: SigningKey | null;
  /** Public halves of keys that signed before, the newest first: their checkpoints stay valid. */
  readonly former: readonly SigningPublicKeys[];
}

/** Public halves of what signs checkpoints together. */
export interface SigningPublicKeys {
  readonly ed25519: Uint8Array;
  readonly mldsa44: Uint8Array | null;
}

export interface KeyStore {
  /** Loads the keys; `create` makes them when there are none yet. Null: there are none and `create` is false. */
  load(options: { create: boolean }): Promise<InstallationKeys | null>;
  /** Makes the next signing keys, or finds those that were made before. They sign nothing yet. */
  prepareNext(): Promise<SigningPublicKeys>;
  /** Lets the next signing keys take over; the private halves of the former ones are destroyed. Both must be in the log. */
  activateNext(): Promise<void>;
}

/** Rotations that are remembered: one a week for twenty years. */
const MAX_FORMER_KEYS = 1_024;

const FILE_SCHEMA = z.strictObject({
  v: z.literal(1),
  node: z.string().regex(/^[0-9a-f]{16}$/),
  created: z.iso.datetime(),
  kek: base64Field(32),
  pseudonymKey: base64Field(32),
  ed25519: ED25519_PAIR,
  /** Absent in files made before checkpoints had two signatures; `load` adds it. */
  mldsa44: ML_DSA_44_PAIR.optional(),
  /** Keys that shall sign next. */
  next: z.strictObject({ ed25519: ED25519_PAIR, mldsa44: ML_DSA_44_PAIR }).optional(),
  /** Keys that signed before, the newest first. */
  former: z
    .array(z.strictObject({ ed25519: base64Field(32), mldsa44: base64Field(1312).nullable() }))
    .max(MAX_FORMER_KEYS)
    .optional(),
});

type KeyFile = z.input<typeof FILE_SCHEMA>;

/** Refuses a secret file that others may read. */
export async function checkMode(path: string): Promise<void> {
  const { mode } = await stat(path);
  if ((mode & 0o077) !== 0) {
    const got = (mode & 0o777).toString(8).padStart(4, "0");
    throw new LogError("log.key-mode", `expected ${path} to have mode 0600, got ${got}: run chmod 600 on it`);
  }
}

function freshFile(): string {
  const file = {
    v: 1,
    node: randomBytes(8).toString("hex"),
    created: new Date().toISOString(),
    kek: randomBytes(32).toString("base64"),
    pseudonymKey: randomBytes(32).toString("base64"),
    ed25519: freshEd25519(),
    mldsa44: freshMlDsa44(),
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}

/** Writes a new file that only its owner may read, and syncs it. */
export async function writeSecret(path: string, text: string): Promise<void> {
  const file = await open(path, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
    await chmod(path, 0o600);
  } finally {
    await file.close();
  }
}

async function syncFolderOf(path: string): Promise<void> {
  const folder = await open(dirname(path), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Makes a file of secrets. Several processes may start at once: each writes its own, one of them gets the name. */
export async function createSecretFile(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${randomBytes(6).toString("hex")}`;
  try {
    await writeSecret(temporary, text);
    await link(temporary, path);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  } finally {
    await rm(temporary, { force: true });
  }
  await syncFolderOf(path);
}

/** Longest wait for another process that is adding the key. */
const ADD_KEY_TIMEOUT_MS = 10_000;

/**
 * Replaces the file by what `change` makes of it; null: it stays. Under a lock, so that processes that start at once all
 * end up with the same keys, and by a rename, so that a crash leaves the old file or the new one.
 */
async function changeFile(path: string, change: (file: KeyFile) => KeyFile | null): Promise<void> {
  const lock = FolderLock.acquire(join(dirname(path), "lock.sqlite"), ADD_KEY_TIMEOUT_MS);
  if (lock === null)
    throw new LogError("log.locked", `another process has been changing ${path} for too long`);
  try {
    const text = await readFile(path, "utf8");
    parse(path, text); // what it is must be certain before it is replaced
    const file = change(JSON.parse(text) as KeyFile);
    if (file === null) return;
    const temporary = `${path}.${randomBytes(6).toString("hex")}`;
    await writeSecret(temporary, `${JSON.stringify(file, null, 2)}\n`);
    await rename(temporary, path);
    await syncFolderOf(path);
  } finally {
    lock.release();
  }
}

function parse(path: string, text: string): InstallationKeys {
  try {
    const file = FILE_SCHEMA.parse(JSON.parse(text));
    const { node, kek, pseudonymKey, ed25519, mldsa44, former = [] } = file;
    const postQuantumSigner = mldsa44 === undefined ? null : mlDsa44Key(mldsa44);
    return { node, kek, pseudonymKey, signer: ed25519Key(ed25519), postQuantumSigner, former };
  } catch {
    // The cause is dropped on purpose: a parser's message may quote the secret it stumbled over.
    throw new LogError("log.key-malformed", `expected ${path} to be an installation key file of version 1`);
  }
}

/** Secrets in a file with mode 0600. */
export class FileKeyStore implements KeyStore {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async load(options: { create: boolean }): Promise<InstallationKeys | null> {
    const exists = await stat(this.#path).then(
      () => true,
      () => false,
    );
    if (!exists && !options.create) return null;
    if (!exists) await createSecretFile(this.#path, freshFile());
    await checkMode(this.#path);
    const keys = parse(this.#path, await readFile(this.#path, "utf8"));
    if (keys.postQuantumSigner !== null) return keys;
    await this.#change((file) => (file.mldsa44 === undefined ? { ...file, mldsa44: freshMlDsa44() } : null));
    return parse(this.#path, await readFile(this.#path, "utf8"));
  }

  async prepareNext(): Promise<SigningPublicKeys> {
    await this.#change((file) =>
      file.next === undefined
        ? { ...file, next: { ed25519: freshEd25519(), mldsa44: freshMlDsa44() } }
        : null,
    );
    const { next } = FILE_SCHEMA.parse(JSON.parse(await readFile(this.#path, "utf8")));
    if (next === undefined) throw new LogError("log.key-malformed", `expected next keys in ${this.#path}`);
    return { ed25519: next.ed25519.public, mldsa44: next.mldsa44.public };
  }

  async activateNext(): Promise<void> {
    await this.#change(({ next, ...file }) => {
      if (next === undefined) return null;
      const last = { ed25519: file.ed25519.public, mldsa44: file.mldsa44?.public ?? null };
      return { ...file, ...next, former: [last, ...(file.former ?? [])].slice(0, MAX_FORMER_KEYS) };
    });
  }

  async #change(change: (file: KeyFile) => KeyFile | null): Promise<void> {
    await changeFile(this.#path, change).catch((cause: unknown) => {
      if (cause instanceof LogError) throw cause;
      throw diskError(`could not change ${this.#path}`, cause);
    });
  }
}
