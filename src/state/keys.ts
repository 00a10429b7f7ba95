// Virtual keys: made, listed, revoked. A secret is shown once and stored nowhere.
import type { Selectable, Transaction } from "kysely";
import { z } from "zod";
import type { Act } from "../core/acts.ts";
import { KEY_SECRET_BYTES, secretHash, writeKeySecret } from "../core/key-secret.ts";
import type { Recorded } from "./accounts.ts";
import { StateError } from "./errors.ts";
import { parse, parseLabel } from "./facts.ts";
import { rowLimit } from "./paging.ts";
import { StatePart } from "./part.ts";
import { nextRevision } from "./revision.ts";
import type { KeysTable, Tables } from "./schema.ts";

export interface Key {
  /** Public: stands in records, listings and the console. */
  readonly id: string;
  readonly account: string;
  readonly label: string;
  readonly createdMs: number;
  readonly expiresMs: number | null;
  readonly revokedMs: number | null;
}

export interface NewKey {
  readonly account: string;
  readonly label?: string;
  /** Milliseconds since the epoch; null or absent: never. */
  readonly expiresAtMs?: number | null;
}

/** A key that another gateway made. */
export interface AdoptedKey {
  readonly account: string;
  readonly label: string;
  /** Of the secret, 64 hexadecimal digits. */
  readonly sha256: string;
  readonly expiresAtMs: number | null;
}

export interface KeyQuery {
  readonly account?: string;
  /** Keys whose id sorts after this one. */
  readonly after?: string;
  /** At most this many, 1 to 1000; 100 by default. */
  readonly limit?: number;
}

const ID_BYTES = 9;
const KEYS_PER_TRANSACTION = 500;
const sha256Hex = z.string().regex(/^[0-9a-f]{64}$/, "expected 64 hexadecimal digits");
const expiry = z.number().int().positive().nullable();

export class Keys extends StatePart {
  /** `secret` is what the client sends; this is the only time it exists. @throws StateError `account-unknown`, `invalid-fact` */
  async create(
    { account, label = "", expiresAtMs = null }: NewKey,
    { record }: Recorded = {},
  ): Promise<{ id: string; secret: string; key: Key }> {
    const secret = writeKeySecret(this.random(KEY_SECRET_BYTES));
    const id = this.#id();
    const key: Key = {
      id,
      account,
      label: parseLabel(label, "label"),
      createdMs: this.now(),
      expiresMs: parse(expiry, expiresAtMs, "expiry"),
      revokedMs: null,
    };
    await this.db.transaction().execute(async (transaction) => {
      await demandAccount(transaction, account);
      const revision = await nextRevision(transaction);
      await transaction
        .insertInto("keys")
        .values({
          id,
          hash: secretHash(secret),
          account,
          label: key.label,
          created_ms: key.createdMs,
          expires_ms: key.expiresMs,
          revoked_ms: null,
          revision,
        })
        .execute();
      const detail = { key: id, label: key.label, expiresMs: key.expiresMs };
      await record?.([{ act: "key.created", account, detail }]);
    });
    return { id, secret, key };
  }

  /**
   * Takes over keys of another gateway by their SHA-256, so that clients go on with the secrets they have. Those that
   * are known stay as they are. Accounts must be known. @throws StateError `account-unknown`, `invalid-fact`
   */
  async adopt(all: readonly AdoptedKey[], { record }: Recorded = {}): Promise<{ adopted: number }> {
    const rows = all.map((foreign) => ({
      id: this.#id(),
      hash: storedHash(foreign.sha256),
      account: foreign.account,
      label: parseLabel(foreign.label, "label"),
      created_ms: this.now(),
      expires_ms: parse(expiry, foreign.expiresAtMs, "expiry"),
      revoked_ms: null,
    }));
    let adopted = 0;
    for (let start = 0; start < rows.length; start += KEYS_PER_TRANSACTION) {
      const some = rows.slice(start, start + KEYS_PER_TRANSACTION);
      adopted += await this.db.transaction().execute(async (transaction) => {
        await demandAccounts(transaction, some);
        const revision = await nextRevision(transaction);
        const made = await transaction
          .insertInto("keys")
          .values(some.map((row) => ({ ...row, revision })))
          .onConflict((conflict) => conflict.column("hash").doNothing())
          .returning(["id", "account", "label", "expires_ms"])
          .execute();
        const acts = made.map(({ id, account, label, expires_ms }): Act => {
          const expiresMs = expires_ms === null ? null : Number(expires_ms);
          return { act: "key.created", account, detail: { key: id, label, expiresMs } };
        });
        if (acts.length > 0) await record?.(acts);
        return made.length;
      });
    }
    return { adopted };
  }

  /** Those of the SHA-256 (64 hexadecimal digits each) whose key is here, ended or not. */
  async knownAmong(hashes: readonly string[]): Promise<Set<string>> {
    const known = new Set<string>();
    for (let start = 0; start < hashes.length; start += KEYS_PER_TRANSACTION) {
      const some = new Map(
        hashes.slice(start, start + KEYS_PER_TRANSACTION).map((hex) => [storedHash(hex), hex]),
      );
      const rows = await this.db
        .selectFrom("keys")
        .select("hash")
        .where("hash", "in", [...some.keys()])
        .execute();
      for (const { hash } of rows) known.add(some.get(hash) ?? hash);
    }
    return known;
  }

  /** Revoking twice keeps the first time. @throws StateError `key-unknown` */
  async revoke(id: string, { record }: Recorded = {}): Promise<Key> {
    return await this.db.transaction().execute(async (transaction) => {
      const row = await transaction.selectFrom("keys").selectAll().where("id", "=", id).executeTakeFirst();
      if (row === undefined)
        throw new StateError("key-unknown", `expected a known key, got ${JSON.stringify(id)}`);
      if (row.revoked_ms !== null) return fromRow(row);
      const revision = await nextRevision(transaction);
      const revoked = this.now();
      await transaction
        .updateTable("keys")
        .set({ revoked_ms: revoked, revision })
        .where("id", "=", id)
        .execute();
      await record?.([{ act: "key.revoked", account: row.account, detail: { key: id } }]);
      return fromRow({ ...row, revoked_ms: revoked });
    });
  }

  async get(id: string): Promise<Key | null> {
    const row = await this.db.selectFrom("keys").selectAll().where("id", "=", id).executeTakeFirst();
    return row === undefined ? null : fromRow(row);
  }

  /** In the order of ids. */
  async list({ account, after, limit }: KeyQuery = {}): Promise<Key[]> {
    let query = this.db.selectFrom("keys").selectAll().orderBy("id").limit(rowLimit(limit));
    if (account !== undefined) query = query.where("account", "=", account);
    if (after !== undefined) query = query.where("id", ">", after);
    return (await query.execute()).map(fromRow);
  }

  #id(): string {
    return `k_${Buffer.from(this.random(ID_BYTES)).toString("hex")}`;
  }
}

/** As the table holds it: base64url. @throws StateError `invalid-fact` */
function storedHash(sha256: string): string {
  return Buffer.from(parse(sha256Hex, sha256, "hash"), "hex").toString("base64url");
}

async function demandAccounts(
  transaction: Transaction<Tables>,
  keys: readonly { readonly account: string }[],
): Promise<void> {
  const names = [...new Set(keys.map(({ account }) => account))];
  const rows = await transaction
    .selectFrom("accounts")
    .select("account")
    .where("account", "in", names)
    .execute();
  const known = new Set(rows.map(({ account }) => account));
  const stranger = names.find((name) => !known.has(name));
  if (stranger !== undefined)
    throw new StateError("account-unknown", `expected a known account, got ${JSON.stringify(stranger)}`);
}

async function demandAccount(transaction: Transaction<Tables>, account: string): Promise<void> {
  const owner = await transaction
    .selectFrom("accounts")
    .select("account")
    .where("account", "=", account)
    .executeTakeFirst();
  if (owner === undefined)
    throw new StateError("account-unknown", `expected a known account, got ${JSON.stringify(account)}`);
}

function fromRow(row: Selectable<KeysTable>): Key {
  return {
    id: row.id,
    account: row.account,
    label: row.label,
    createdMs: Number(row.created_ms),
    expiresMs: row.expires_ms === null ? null : Number(row.expires_ms),
    revokedMs: row.revoked_ms === null ? null : Number(row.revoked_ms),
  };
}
