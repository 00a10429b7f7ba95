// Who is signed in, and how people sign in.
import { z } from "zod";
import { ROLES, type Role, roleReaches } from "../../core/role.ts";
import { maybeTime } from "./common.ts";

export { ROLES, type Role, roleReaches };

export const signInBody: z.ZodType<{ token: string }> = z.strictObject({ token: z.string().min(1).max(500) });

export interface Session {
  user: { name: string; role: Role };
  /** Null: an identity without a session, such as the local operator's socket. */
  expiresAt: string | null;
}
const user = z.object({ name: z.string(), role: z.enum(ROLES) });
export const session: z.ZodType<Session> = z.object({ user, expiresAt: maybeTime });
