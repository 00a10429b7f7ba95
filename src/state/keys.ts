// Virtual keys: made, listed, revoked. A secret is shown once and stored nowhere.
import type { Selectable } from "kysely";
import { z } from "zod";
import { KEY_SECRET_BYTES, secretHash, writeKeySecret } from "../core/key-secret.ts";
import type { Recorded } from "./accounts.ts";
import { StateError } from "./errors.ts";
import { parse, parseLabel } from "./facts.ts";
import { rowLimit } from "./paging.ts";
import { StatePart } from "./part.ts";
import { nextRevision } from "./revision.ts";
import type { KeysTable } from "./schema.ts";

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

export interface KeyQuery {
  readonly account?: string;
  /** Keys whose id sorts after this one. */
  readonly after?: string;
  /** At most this many, 1 to 1000; 100 by default. */
  readonly limit?: number;
}

const ID_BYTES = 9;
const expiry = z.number().int().positive().nullable();

export class Keys extends StatePart {
  /** `secret` is what the client sends; this is the only time it exists. @throws StateError `account-unknown`, `invalid-fact` */
  async create(
    { account, label = "", expiresAtMs = null }: NewKey,
    { record }: Recorded = {},
  ): Promise<{ id: string; secret: string; key: Key }> {
    const secret = writeKeySecret(this.random(KEY_SECRET_BYTES));
    const id = `k_${Buffer.from(this.random(ID_BYTES)).toString("hex")}`;
    const key: Key = {
      id,
      account,
      label: parseLabel(label, "label"),
      createdMs: this.now(),
      expiresMs: parse(expiry, expiresAtMs, "expiry"),
      revokedMs: null,
    };
    await this.db.transaction().execute(async (transaction) => {
      const owner = await transaction
        .selectFrom("accounts")
        .select("account")
        .where("account", "=", account)
        .executeTakeFirst();
      if (owner === undefined) {
        throw new StateError("account-unknown", `expected a known account, got ${JSON.stringify(account)}`);
      }
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
