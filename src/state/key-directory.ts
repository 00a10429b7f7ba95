// Answers "whose key is this?" from memory, so that no request waits for a disk; a poll keeps it fresh.
import { isKeySecret, secretHash } from "../core/key-secret.ts";
import { EndUserDirectory } from "./end-user-directory.ts";
import { StateError } from "./errors.ts";
import { currentRevision } from "./revision.ts";
import type { State } from "./state.ts";

/** Who a request comes from. */
export interface Principal {
  readonly account: string;
  /** Public id of the key. */
  readonly key: string;
  /** The account's organisation, as the operator recorded it; null: none is known. */
  readonly organization: string | null;
}

/** `malformed`: not the form of a key, or a typo (the checksum is wrong). Operators see the code; clients see one answer. */
export type RejectionCode = "malformed" | "unknown" | "revoked" | "expired" | "account-suspended";

export interface Rejection {
  readonly rejected: RejectionCode;
}

export interface KeyDirectoryOptions {
  /** Time between two looks for changes, milliseconds: the longest a revoked key keeps working. */
  readonly refreshMs?: number;
  /** Keys held in memory, some 300 bytes each. */
  readonly maxKeys?: number;
  readonly now?: () => number;
  /** Derives the secrets with which organisations sign their users' ids; without it only public keys are checked. */
  readonly endUserMaster?: Uint8Array;
  /** Called when a refresh fails; what was known stays in use, and the next poll tries again. */
  readonly onFailure?: (error: unknown) => void;
}

interface Entry {
  /** Made again when the account changes organisation. */
  principal: Principal;
  readonly expiresMs: number;
  readonly revoked: boolean;
}

const REFRESH_MS = 200;
const MAX_KEYS = 1_000_000;
const PAGE_ROWS = 2000;

const REJECTED: Readonly<Record<RejectionCode, Rejection>> = {
  malformed: { rejected: "malformed" },
  unknown: { rejected: "unknown" },
  revoked: { rejected: "revoked" },
  expired: { rejected: "expired" },
  "account-suspended": { rejected: "account-suspended" },
};

export class KeyDirectory {
  #state: State;
  readonly #now: () => number;
  readonly #maxKeys: number;
  /** Every key there is, by the hash of its secret: a secret that is not here is unknown, without asking a disk. */
  readonly #entries: Map<string, Entry> = new Map();
  readonly #suspended: Set<string> = new Set();
  readonly #organizations: Map<string, string> = new Map();
  /** Judges the header `adyton-end-user` of an authenticated principal. */
  readonly endUsers: EndUserDirectory;
  #revision = 0;
  #timer: NodeJS.Timeout | null = null;
  #refreshing: Promise<void> | null = null;

  private constructor(
    state: State,
    { maxKeys = MAX_KEYS, now = Date.now, endUserMaster }: KeyDirectoryOptions,
  ) {
    this.#state = state;
    this.#maxKeys = maxKeys;
    this.#now = now;
    this.endUsers = new EndUserDirectory({ master: endUserMaster ?? null, now });
  }

  /** Loads every key, then polls. The timer does not keep the process alive. */
  static async open(state: State, options: KeyDirectoryOptions = {}): Promise<KeyDirectory> {
    const directory = new KeyDirectory(state, options);
    await directory.refresh();
    const { refreshMs = REFRESH_MS, onFailure = () => {} } = options;
    directory.#timer = setInterval(() => {
      directory.refresh().catch(onFailure);
    }, refreshMs);
    directory.#timer.unref();
    return directory;
  }

  /**
   * Synchronous and without input or output. `secret` is attacker-controlled; `hash` is its `secretHash`, for who
   * knows it already.
   */
  authenticate(secret: string, hash: string = secretHash(secret)): Principal | Rejection {
    const entry = this.#entries.get(hash);
    // Only who is refused is told a typo from a guess: a key that is held has the right form.
    if (entry === undefined) return isKeySecret(secret) ? REJECTED.unknown : REJECTED.malformed;
    if (entry.revoked) return REJECTED.revoked;
    if (entry.expiresMs <= this.#now()) return REJECTED.expired;
    if (this.#suspended.has(entry.principal.account)) return REJECTED["account-suspended"];
    const organization = this.organizationOf(entry.principal.account);
    if (entry.principal.organization !== organization) entry.principal = { ...entry.principal, organization };
    return entry.principal;
  }

  /** The organisation that an account belongs to, from memory; null: none that is known. */
  organizationOf(account: string): string | null {
    return this.#organizations.get(account) ?? null;
  }

  /** Goes on from the same revision in another database: a copy was read until now, and what it is a copy of is back. */
  follow(state: State): void {
    this.#state = state;
  }

  /** Reads what changed since the last look. Concurrent calls share one read. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#read().finally(() => {
      this.#refreshing = null;
    });
    return this.#refreshing;
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  get size(): number {
    return this.#entries.size;
  }

  async #read(): Promise<void> {
    const db = this.#state.database;
    const revision = await currentRevision(db);
    if (revision === this.#revision) return;
    // Rows changed after `revision` was read may come along; the next look reads them again, which does no harm.
    await this.#readAccounts();
    await this.endUsers.read(this.#state, this.#revision);
    const leftOut = await this.#readKeys();
    this.#revision = revision;
    if (leftOut > 0) {
      throw new StateError("too-many-keys", `expected at most ${this.#maxKeys} keys, got ${leftOut} more`);
    }
  }

  async #readAccounts(): Promise<void> {
    const rows = await this.#state.database
      .selectFrom("accounts")
      .select(["account", "status", "organization"])
      .where("revision", ">", this.#revision)
      // At first nothing is known, so only accounts of which there is something to know need to be read.
      .$if(this.#revision === 0, (query) =>
        query.where((row) => row.or([row("status", "=", "suspended"), row("organization", "is not", null)])),
      )
      .execute();
    for (const { account, status, organization } of rows) {
      if (organization === null) this.#organizations.delete(account);
      else this.#organizations.set(account, organization);
      if (status === "suspended") this.#suspended.add(account);
      else this.#suspended.delete(account);
    }
  }

  /** Returns how many new keys found no room. Revocations of keys that are held always arrive. */
  async #readKeys(): Promise<number> {
    // In the order of the index, so that a look costs in proportion to what is new.
    let after = { revision: this.#revision + 1, id: "" };
    let leftOut = 0;
    for (;;) {
      const rows = await this.#state.database
        .selectFrom("keys")
        .select(["id", "hash", "account", "expires_ms", "revoked_ms", "revision"])
        .where("revision", ">=", after.revision)
        .where((row) => row.or([row("revision", ">", after.revision), row("id", ">", after.id)]))
        .orderBy("revision")
        .orderBy("id")
        .limit(PAGE_ROWS)
        .execute();
      for (const row of rows) {
        const isHeld = this.#put(row.hash, {
          principal: {
            account: row.account,
            key: row.id,
            organization: this.#organizations.get(row.account) ?? null,
          },
          expiresMs: row.expires_ms === null ? Number.POSITIVE_INFINITY : Number(row.expires_ms),
          revoked: row.revoked_ms !== null,
        });
        if (!isHeld) leftOut++;
      }
      const last = rows.at(-1);
      if (last === undefined || rows.length < PAGE_ROWS) return leftOut;
      after = { revision: Number(last.revision), id: last.id };
    }
  }

  #put(hash: string, entry: Entry): boolean {
    if (this.#entries.size >= this.#maxKeys && !this.#entries.has(hash)) return false;
    this.#entries.set(hash, entry);
    return true;
  }
}
