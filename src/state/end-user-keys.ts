// The keys with which organisations sign the ids of their own users. No secret is stored: it is derived, or theirs alone.
import { createHmac } from "node:crypto";
import type { Selectable } from "kysely";
import { z } from "zod";
import { ed25519PublicKey } from "../core/end-user.ts";
import { END_USER_ALGORITHMS, type EndUserAlgorithm } from "../core/identity.ts";
import type { Recorded } from "./accounts.ts";
import { StateError } from "./errors.ts";
import { parse, parseLabel } from "./facts.ts";
import type { EndUserKeysTable } from "./identity-tables.ts";
import { unknown as unknownOrganization } from "./organizations.ts";
import { StatePart } from "./part.ts";
import { nextRevision } from "./revision.ts";

export interface EndUserKey {
  /** The `kid` of what the organisation signs. */
  readonly id: string;
  readonly organization: string;
  readonly algorithm: EndUserAlgorithm;
  /** PEM; null for HS256. */
  readonly publicKey: string | null;
  readonly label: string;
  readonly createdMs: number;
  readonly expiresMs: number | null;
  readonly revokedMs: number | null;
}

export interface NewEndUserKey {
  readonly organization: string;
  /** PEM of an Ed25519 public key; null: HS256 with a secret of ours. */
  readonly publicKey?: string | null | undefined;
  readonly label?: string | undefined;
  readonly expiresAtMs?: number | null | undefined;
}

/** Under which the installation's key derives the master of these secrets. */
export const END_USER_PURPOSE = "end-user-keys";
const ID_BYTES = 9;
const MAX_KEYS_PER_ORGANIZATION = 100;
const expiry = z.number().int().positive().nullable();
const algorithm = z.enum(END_USER_ALGORITHMS);

/** The secret of an HS256 key. `master` is the installation's, for this purpose alone; who has neither it nor the secret can't sign. */
export function endUserSecret(master: Uint8Array, id: string): Buffer {
  return createHmac("sha256", master).update(id).digest();
}

export class EndUserKeys extends StatePart {
  /** @throws StateError `organization-unknown`, `invalid-fact`, `too-many-keys` */
  async create(
    { organization, publicKey = null, label = "", expiresAtMs = null }: NewEndUserKey,
    { record }: Recorded = {},
  ): Promise<EndUserKey> {
    if (publicKey !== null && ed25519PublicKey(publicKey) === null)
      throw new StateError("invalid-fact", "public key: expected an Ed25519 public key in PEM");
    const key: EndUserKey = {
      id: `eu_${Buffer.from(this.random(ID_BYTES)).toString("hex")}`,
      organization,
      algorithm: publicKey === null ? "HS256" : "EdDSA",
      publicKey,
      label: parseLabel(label, "label"),
      createdMs: this.now(),
      expiresMs: parse(expiry, expiresAtMs, "expiry"),
      revokedMs: null,
    };
    await this.db.transaction().execute(async (transaction) => {
      const known = await transaction
        .selectFrom("organizations")
        .select("organization")
        .where("organization", "=", organization)
        .executeTakeFirst();
      if (known === undefined) throw unknownOrganization(organization);
      const { count } = await transaction
        .selectFrom("end_user_keys")
        .where("organization", "=", organization)
        .where("revoked_ms", "is", null)
        .select((expression) => expression.fn.countAll().as("count"))
        .executeTakeFirstOrThrow();
      if (Number(count) >= MAX_KEYS_PER_ORGANIZATION)
        throw new StateError(
          "too-many-keys",
          `expected at most ${MAX_KEYS_PER_ORGANIZATION} keys, got as many already`,
        );
      await transaction
        .insertInto("end_user_keys")
        .values({
          id: key.id,
          organization,
          algorithm: key.algorithm,
          public_key: publicKey,
          label: key.label,
          created_ms: key.createdMs,
          expires_ms: key.expiresMs,
          revoked_ms: null,
          revision: await nextRevision(transaction),
        })
        .execute();
      const detail = {
        key: key.id,
        organization,
        algorithm: key.algorithm,
        label: key.label,
        expiresMs: key.expiresMs,
      };
      await record?.([{ act: "end-user-key.created", account: null, detail }]);
    });
    return key;
  }

  /** Revoking twice keeps the first time. @throws StateError `key-unknown` */
  async revoke(id: string, { record }: Recorded = {}): Promise<EndUserKey> {
    return await this.db.transaction().execute(async (transaction) => {
      const row = await transaction
        .selectFrom("end_user_keys")
        .selectAll()
        .where("id", "=", id)
        .executeTakeFirst();
      if (row === undefined)
        throw new StateError("key-unknown", `expected a known key, got ${JSON.stringify(id)}`);
      if (row.revoked_ms !== null) return fromRow(row);
      const revoked_ms = this.now();
      const revision = await nextRevision(transaction);
      await transaction
        .updateTable("end_user_keys")
        .set({ revoked_ms, revision })
        .where("id", "=", id)
        .execute();
      const detail = { key: id, organization: row.organization };
      await record?.([{ act: "end-user-key.revoked", account: null, detail }]);
      return fromRow({ ...row, revoked_ms });
    });
  }

  /** Newest first; at most 1000. */
  async list(organization: string): Promise<EndUserKey[]> {
    const rows = await this.db
      .selectFrom("end_user_keys")
      .selectAll()
      .where("organization", "=", organization)
      .orderBy("created_ms", "desc")
      .orderBy("id")
      .limit(1000)
      .execute();
    return rows.map(fromRow);
  }
}

function fromRow(row: Selectable<EndUserKeysTable>): EndUserKey {
  return {
    id: row.id,
    organization: row.organization,
    algorithm: algorithm.parse(row.algorithm),
    publicKey: row.public_key,
    label: row.label,
    createdMs: Number(row.created_ms),
    expiresMs: row.expires_ms === null ? null : Number(row.expires_ms),
    revokedMs: row.revoked_ms === null ? null : Number(row.revoked_ms),
  };
}
