// Signing in by a one-time link, and out.
import { recorderFor } from "../acts.ts";
import { type Session, signInBody } from "../contract/session.ts";
import { ApiError } from "../errors.ts";
import { callerOf, isoTime, isoTimeOrNull, readBody } from "../http.ts";
import { clearSession, sessionToken, setSession } from "../identity.ts";
import type { ApiContext, ApiServices, Handlers } from "../services.ts";

const MINUTE_MS = 60_000;

export const sessionHandlers: Handlers<"POST /api/session" | "GET /api/session" | "DELETE /api/session"> = {
  "POST /api/session": signIn,
  "GET /api/session": (context) => {
    const { name, role, expiresMs } = context.get("identity");
    const session: Session = { user: { name, role }, expiresAt: isoTimeOrNull(expiresMs) };
    return context.json(session);
  },
  "DELETE /api/session": async (context, services) => {
    const token = sessionToken(context, services);
    const record = recorderFor(context.get("identity").actor, services);
    if (token !== undefined) await services.state.sessions.end(token, { record });
    clearSession(context, services);
    return context.json(null);
  },
};

async function signIn(context: ApiContext, services: ApiServices): Promise<Response> {
  if (!services.signInAttempts.admit(callerOf(context))) {
    throw new ApiError("api.too-many-attempts", "Too many attempts. Wait a minute.");
  }
  const { token } = await readBody(context, signInBody);
  const lifeMs = services.config.console.sessionMinutes * MINUTE_MS;
  // Nobody is signed in yet; the act's own detail says whom the link belonged to.
  const record = recorderFor("sign-in", services);
  const made = await services.state.sessions.redeem(token, { lifeMs }, { record });
  if (made === null)
    throw new ApiError("api.sign-in-refused", "The link is unknown, was used, or has expired.");
  const { user, role, expiresMs } = made.session;
  setSession(context, made.token, expiresMs, services);
  const session: Session = { user: { name: user, role }, expiresAt: isoTime(expiresMs) };
  return context.json(session);
}
