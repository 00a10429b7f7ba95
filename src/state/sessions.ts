// Sessions, and the one-time links that start them.
import type { Transaction } from "kysely";
import { z } from "zod";
import { secretHash } from "../core/key-secret.ts";
import { ROLES, type Role } from "../core/role.ts";
import type { Recorded } from "./accounts.ts";
import { parse, parseName } from "./facts.ts";
import { type RandomBytes, StatePart } from "./part.ts";
import type { Tables } from "./schema.ts";

export interface Session {
  readonly user: string;
  readonly role: Role;
  readonly expiresMs: number;
}

const TOKEN_BYTES = 32;
const TOKEN_FORM = /^[A-Za-z0-9_-]{43}$/;
/** Oldest sessions beyond this end, so that no user's rows grow without limit. */
const MAX_SESSIONS_PER_USER = 20;
/** Used and expired links and sessions are forgotten after this; what happened is in the log. */
const KEEP_MS = 30 * 86_400_000;
const role: z.ZodType<Role> = z.enum(ROLES);
const life = z.number().int().positive();

export interface NewSignInLink {
  readonly user: string;
  /** The user gets this role; a user who is known keeps the sessions there are, with the new role. */
  readonly role: Role;
  /** How long the link works, milliseconds. */
  readonly lifeMs: number;
}

/** Sessions, and the one-time links that start them. Tokens hold 256 random bits and are stored as hashes. */
export class Sessions extends StatePart {
  /** Makes the user where new. The token works once. @throws StateError `invalid-fact` */
  async createLink(
    link: NewSignInLink,
    { record }: Recorded = {},
  ): Promise<{ token: string; expiresMs: number }> {
    const user = parseName(link.user, "user");
    const given = parse(role, link.role, "role");
    const now = this.now();
    const expiresMs = now + parse(life, link.lifeMs, "life of the link");
    const token = newSessionToken(this.random);
    await this.db.transaction().execute(async (transaction) => {
      await forget(transaction, now - KEEP_MS);
      await transaction
        .insertInto("users")
        .values({ name: user, role: given, created_ms: now, disabled_ms: null })
        .onConflict((conflict) => conflict.column("name").doUpdateSet({ role: given, disabled_ms: null }))
        .execute();
      await transaction
        .insertInto("sign_in_links")
        .values({
          hash: secretHash(token),
          user_name: user,
          created_ms: now,
          expires_ms: expiresMs,
          used_ms: null,
        })
        .execute();
      const detail = { user, role: given, expiresMs };
      await record?.([{ act: "sign-in-link.created", account: null, detail }]);
    });
    return { token, expiresMs };
  }

  /** Spends a link's token and starts a session; null when it is unknown, used, expired, or its user is disabled. */
  async redeem(
    linkToken: string,
    { lifeMs }: { lifeMs: number },
    { record }: Recorded = {},
  ): Promise<{ token: string; session: Session } | null> {
    // The token is attacker-controlled; most wrong ones end here, without the database.
    if (!TOKEN_FORM.test(linkToken)) return null;
    const token = newSessionToken(this.random);
    return await this.db.transaction().execute(async (transaction) => {
      const now = this.now();
      const link = await transaction
        .selectFrom("sign_in_links")
        .innerJoin("users", "users.name", "sign_in_links.user_name")
        .select(["users.name as name", "users.role as role"])
        .where("sign_in_links.hash", "=", secretHash(linkToken))
        .where("sign_in_links.used_ms", "is", null)
        .where("sign_in_links.expires_ms", ">", now)
        .where("users.disabled_ms", "is", null)
        .executeTakeFirst();
      if (link === undefined) return null;
      await transaction
        .updateTable("sign_in_links")
        .set({ used_ms: now })
        .where("hash", "=", secretHash(linkToken))
        .execute();
      const person = { user: link.name, role: role.parse(link.role) };
      const session = await startSession(transaction, { ...person, token, now, lifeMs });
      const detail = { user: session.user, role: session.role };
      await record?.([{ act: "session.started", account: null, detail }]);
      return { token, session };
    });
  }

  /** Whose session this is, with the role the user has now; null when there is none that is alive. */
  async authenticate(token: string): Promise<Session | null> {
    if (!TOKEN_FORM.test(token)) return null;
    const row = await this.db
      .selectFrom("sessions")
      .innerJoin("users", "users.name", "sessions.user_name")
      .select(["users.name as name", "users.role as role", "sessions.expires_ms as expires_ms"])
      .where("sessions.hash", "=", secretHash(token))
      .where("sessions.ended_ms", "is", null)
      .where("sessions.expires_ms", ">", this.now())
      .where("users.disabled_ms", "is", null)
      .executeTakeFirst();
    if (row === undefined) return null;
    return { user: row.name, role: role.parse(row.role), expiresMs: Number(row.expires_ms) };
  }

  /** Ends a session; one that is not alive stays as it is. */
  async end(token: string, { record }: Recorded = {}): Promise<void> {
    if (!TOKEN_FORM.test(token)) return;
    await this.db.transaction().execute(async (transaction) => {
      const ended = await transaction
        .updateTable("sessions")
        .set({ ended_ms: this.now() })
        .where("hash", "=", secretHash(token))
        .where("ended_ms", "is", null)
        .returning("user_name")
        .executeTakeFirst();
      if (ended === undefined) return;
      await record?.([{ act: "session.ended", account: null, detail: { user: ended.user_name } }]);
    });
  }
}

/** 256 random bits, base64url. */
export function newSessionToken(random: RandomBytes): string {
  return Buffer.from(random(TOKEN_BYTES)).toString("base64url");
}

/** Within the transaction that found out who it is. */
export async function startSession(
  transaction: Transaction<Tables>,
  start: { user: string; role: Role; token: string; now: number; lifeMs: number },
): Promise<Session> {
  const { user, now } = start;
  const expiresMs = now + parse(life, start.lifeMs, "life");
  await transaction
    .insertInto("sessions")
    .values({
      hash: secretHash(start.token),
      user_name: user,
      created_ms: now,
      expires_ms: expiresMs,
      ended_ms: null,
    })
    .execute();
  await endOldest(transaction, user, now);
  return { user, role: start.role, expiresMs };
}

async function forget(transaction: Transaction<Tables>, beforeMs: number): Promise<void> {
  await transaction.deleteFrom("sign_in_links").where("expires_ms", "<", beforeMs).execute();
  await transaction.deleteFrom("sessions").where("expires_ms", "<", beforeMs).execute();
}

async function endOldest(transaction: Transaction<Tables>, user: string, now: number): Promise<void> {
  const alive = await transaction
    .selectFrom("sessions")
    .select("hash")
    .where("user_name", "=", user)
    .where("ended_ms", "is", null)
    .where("expires_ms", ">", now)
    .orderBy("created_ms", "desc")
    .execute();
  for (const { hash } of alive.slice(MAX_SESSIONS_PER_USER)) {
    await transaction.updateTable("sessions").set({ ended_ms: now }).where("hash", "=", hash).execute();
  }
}
