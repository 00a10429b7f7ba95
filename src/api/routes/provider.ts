// The way through the identity provider: out with a redirect, back with a code, and then a session like any other.
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { recorderFor } from "../acts.ts";
import type { SignInWays } from "../contract/people.ts";
import { ApiError } from "../errors.ts";
import { callerOf } from "../http.ts";
import { isOverTls, setSession } from "../identity.ts";
import { FLOW_LIFE_MS, type IdentityProvider } from "../identity-provider.ts";
import type { ApiContext, ApiServices, Handlers } from "../services.ts";

const MINUTE_MS = 60_000;
/** The console shows what happened; it says no more than an attacker may know. */
const REFUSED = "/sign-in#refused";

export const providerHandlers: Handlers<
  "GET /api/sign-in" | "GET /api/sign-in/provider" | "GET /api/sign-in/provider/callback"
> = {
  "GET /api/sign-in": (context, { provider }) => {
    const ways: SignInWays = { provider: provider?.config.label ?? null };
    return context.json(ways);
  },
  "GET /api/sign-in/provider": async (context, services) => {
    const provider = demand(context, services);
    const { url, flow } = await provider.begin().catch((cause: unknown) => {
      throw new ApiError("api.provider-unavailable", "The identity provider does not answer.", { cause });
    });
    setCookie(context, cookieName(services), flow, {
      path: "/",
      httpOnly: true,
      // The way back starts at the provider's site: a strict cookie would not come along.
      sameSite: "Lax",
      secure: isOverTls(services),
      maxAge: FLOW_LIFE_MS / 1000,
    });
    return context.redirect(url.href);
  },
  "GET /api/sign-in/provider/callback": async (context, services) => {
    const provider = demand(context, services);
    const flow = getCookie(context, cookieName(services));
    deleteCookie(context, cookieName(services), { path: "/", secure: isOverTls(services) });
    const person = await provider.end(new URL(context.req.url).search, flow).catch((error: unknown) => {
      // The library's errors name what was wrong with the answer; codes and tokens are not in their messages.
      const reason = error instanceof Error ? error.message : "unknown";
      services.diagnostics.warn({ reason }, "a sign-in through the provider was refused");
      return null;
    });
    if (person === null) return context.redirect(REFUSED);
    const lifeMs = services.config.console.sessionMinutes * MINUTE_MS;
    const record = recorderFor("sign-in", services);
    const made = await services.state.identities.signIn(person, { lifeMs }, { record });
    if (made === null) return context.redirect(REFUSED);
    setSession(context, made.token, made.session.expiresMs, services);
    return context.redirect("/");
  },
};

function demand(context: ApiContext, { provider, signInAttempts }: ApiServices): IdentityProvider {
  if (provider === undefined)
    throw new ApiError("api.not-available", "expected a configured identity provider, got none");
  if (!signInAttempts.admit(callerOf(context)))
    throw new ApiError("api.too-many-attempts", "Too many attempts. Wait a minute.");
  return provider;
}

function cookieName(services: ApiServices): string {
  return isOverTls(services) ? "__Host-adyton_sign_in" : "adyton_sign_in";
}
