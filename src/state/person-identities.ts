// People whom an identity provider vouches for: bound to a user at their first sign-in, and to nobody else's afterwards.
import { z } from "zod";
import type { Act } from "../core/acts.ts";
import { ROLES, type Role } from "../core/role.ts";
import type { Recorded } from "./accounts.ts";
import { parse, parseName } from "./facts.ts";
import { StatePart } from "./part.ts";
import { newSessionToken, type Session, startSession } from "./sessions.ts";

/** What the provider said, after its signature was checked. */
export interface Person {
  readonly issuer: string;
  /** The provider's own, unchanging name of the person (`sub`). */
  readonly subject: string;
  /** What the user is called here. */
  readonly name: string;
  readonly role: Role;
}

const providerText = z.string().min(1).max(512);

export class PersonIdentities extends StatePart {
  /**
   * Starts a session with the role that the provider's claims give now. Null when the person's user is disabled, or the
   * name belongs to a user that is not this person's: a provider can't take over somebody by naming them.
   */
  async signIn(
    person: Person,
    { lifeMs }: { lifeMs: number },
    { record }: Recorded = {},
  ): Promise<{ token: string; session: Session } | null> {
    const issuer = parse(providerText, person.issuer, "issuer");
    const subject = parse(providerText, person.subject, "subject");
    const name = parseName(person.name, "user");
    const role = parse(z.enum(ROLES), person.role, "role");
    const token = newSessionToken(this.random);
    return await this.db.transaction().execute(async (transaction) => {
      const now = this.now();
      const acts: Act[] = [];
      const bound = await transaction
        .selectFrom("user_identities")
        .innerJoin("users", "users.name", "user_identities.user_name")
        .select(["users.name as name", "users.role as role", "users.disabled_ms as disabled_ms"])
        .where("issuer", "=", issuer)
        .where("subject", "=", subject)
        .executeTakeFirst();
      if (bound === undefined) {
        const made = await transaction
          .insertInto("users")
          .values({ name, role, created_ms: now, disabled_ms: null })
          .onConflict((conflict) => conflict.doNothing())
          .returning("name")
          .executeTakeFirst();
        if (made === undefined) return null;
        await transaction
          .insertInto("user_identities")
          .values({ issuer, subject, user_name: name, created_ms: now })
          .execute();
        acts.push({ act: "user.bound", account: null, detail: { user: name, issuer, subject } });
      } else if (bound.disabled_ms !== null) return null;
      const user = bound?.name ?? name;
      if (bound !== undefined && bound.role !== role) {
        await transaction.updateTable("users").set({ role }).where("name", "=", user).execute();
        acts.push({ act: "user.changed", account: null, detail: { user, role, disabled: false } });
      }
      const session = await startSession(transaction, { user, role, token, now, lifeMs });
      acts.push({ act: "session.started", account: null, detail: { user, role } });
      await record?.(acts);
      return { token, session };
    });
  }
}
