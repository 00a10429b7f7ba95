// Tokens for machines: each may do what its scopes say and nothing else, ends by itself, and is shown once.
import type { Selectable } from "kysely";
import { z } from "zod";
import { isTokenSecret, KEY_SECRET_BYTES, secretHash, writeTokenSecret } from "../core/key-secret.ts";
import type { Recorded } from "./accounts.ts";
import { StateError } from "./errors.ts";
import { parse, parseLabel } from "./facts.ts";
import type { ApiTokensTable } from "./identity-tables.ts";
import { type Page, type PageQuery, pageOf } from "./paging.ts";
import { StatePart } from "./part.ts";

export interface Token {
  /** Public: stands in acts and listings. */
  readonly id: string;
  readonly label: string;
  /** `findings:read`, `accounts:write` and the like. */
  readonly scopes: readonly string[];
  readonly creator: string;
  readonly createdMs: number;
  readonly expiresMs: number;
  readonly revokedMs: number | null;
  /** When it was last used, to within a minute; null: never. */
  readonly usedMs: number | null;
}

export interface NewToken {
  readonly label: string;
  readonly scopes: readonly string[];
  /** Who makes it, as acts name people. */
  readonly creator: string;
  readonly lifeMs: number;
}

const ID_BYTES = 9;
const DAY_MS = 86_400_000;
const MAX_LIFE_MS = 366 * DAY_MS;
const USE_NOTED_EVERY_MS = 60_000;
const scopeList = z
  .array(z.string().regex(/^[a-z][a-z-]{0,62}:(read|write)$/, "expected a scope such as findings:read"))
  .min(1)
  .max(100);
const life = z.number().int().min(1).max(MAX_LIFE_MS);

export class Tokens extends StatePart {
  /** `secret` is what the machine sends; this is the only time it exists. @throws StateError `invalid-fact` */
  async create(
    { label, scopes, creator, lifeMs }: NewToken,
    { record }: Recorded = {},
  ): Promise<{ secret: string; token: Token }> {
    const secret = writeTokenSecret(this.random(KEY_SECRET_BYTES));
    const createdMs = this.now();
    const token: Token = {
      id: `t_${Buffer.from(this.random(ID_BYTES)).toString("hex")}`,
      label: parseLabel(label, "label"),
      scopes: [...new Set(parse(scopeList, scopes, "scopes"))].sort(),
      creator,
      createdMs,
      expiresMs: createdMs + parse(life, lifeMs, "life"),
      revokedMs: null,
      usedMs: null,
    };
    await this.db.transaction().execute(async (transaction) => {
      await transaction
        .insertInto("api_tokens")
        .values({
          id: token.id,
          hash: secretHash(secret),
          label: token.label,
          scopes: JSON.stringify(token.scopes),
          creator,
          created_ms: createdMs,
          expires_ms: token.expiresMs,
          revoked_ms: null,
          used_ms: null,
        })
        .execute();
      const { id, scopes: given, expiresMs } = token;
      const detail = { token: id, label: token.label, scopes: given, expiresMs };
      await record?.([{ act: "token.created", account: null, detail }]);
    });
    return { secret, token };
  }

  /** Whose token this is; null when there is none that is alive. `secret` is attacker-controlled. */
  async authenticate(secret: string): Promise<Token | null> {
    // A guess without the right checksum costs no look at the database. The look itself is by hash: it tells no timing.
    if (!isTokenSecret(secret)) return null;
    const now = this.now();
    const row = await this.db
      .selectFrom("api_tokens")
      .selectAll()
      .where("hash", "=", secretHash(secret))
      .where("revoked_ms", "is", null)
      .where("expires_ms", ">", now)
      .executeTakeFirst();
    if (row === undefined) return null;
    if (row.used_ms === null || now - Number(row.used_ms) >= USE_NOTED_EVERY_MS) {
      await this.db.updateTable("api_tokens").set({ used_ms: now }).where("id", "=", row.id).execute();
    }
    return fromRow(row);
  }

  /** Revoking twice keeps the first time. @throws StateError `token-unknown` */
  async revoke(id: string, { record }: Recorded = {}): Promise<Token> {
    return await this.db.transaction().execute(async (transaction) => {
      const row = await transaction
        .selectFrom("api_tokens")
        .selectAll()
        .where("id", "=", id)
        .executeTakeFirst();
      if (row === undefined)
        throw new StateError("token-unknown", `expected a known token, got ${JSON.stringify(id)}`);
      if (row.revoked_ms !== null) return fromRow(row);
      const revoked_ms = this.now();
      await transaction.updateTable("api_tokens").set({ revoked_ms }).where("id", "=", id).execute();
      await record?.([{ act: "token.revoked", account: null, detail: { token: id } }]);
      return fromRow({ ...row, revoked_ms });
    });
  }

  /** Newest first. */
  async list(query: PageQuery = {}): Promise<Page<Token>> {
    const all = this.db.selectFrom("api_tokens");
    return await pageOf(all, all.selectAll().orderBy("created_ms", "desc").orderBy("id"), query, fromRow);
  }
}

function fromRow(row: Selectable<ApiTokensTable>): Token {
  return {
    id: row.id,
    label: row.label,
    scopes: scopeList.parse(JSON.parse(row.scopes)),
    creator: row.creator,
    createdMs: Number(row.created_ms),
    expiresMs: Number(row.expires_ms),
    revokedMs: row.revoked_ms === null ? null : Number(row.revoked_ms),
    usedMs: row.used_ms === null ? null : Number(row.used_ms),
  };
}
