// Says who asks, by the session's cookie, and refuses changes that another site asks for in their name.
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { ApiError } from "./errors.ts";
import type { ApiContext, ApiOptions, Identity } from "./services.ts";

/** Foreign pages and forms can't send it: a browser would ask first, and this API never allows it. */
export const CSRF_HEADER = "x-adyton-console";
const SAFE_METHODS: ReadonlySet<string> = new Set(["GET", "HEAD"]);

export function isOverTls({ config }: ApiOptions): boolean {
  return config.console.publicUrl?.startsWith("https:") ?? false;
}

/** `__Host-` makes browsers refuse the cookie from other hosts, paths and plain HTTP (RFC 6265bis, 4.1.3). */
function cookieName(options: ApiOptions): string {
  return isOverTls(options) ? "__Host-adyton_session" : "adyton_session";
}

export function sessionToken(context: ApiContext, options: ApiOptions): string | undefined {
  return getCookie(context, cookieName(options));
}

/** Null when nobody is signed in. The token is attacker-controlled. */
export async function identify(context: ApiContext, options: ApiOptions): Promise<Identity | null> {
  if (options.identityOf !== undefined) return options.identityOf(context.req.raw);
  const bearer = bearerToken(context);
  if (bearer !== undefined) return await machineOf(bearer, options);
  const token = sessionToken(context, options);
  if (token === undefined) return null;
  const session = await options.state.sessions.authenticate(token);
  if (session === null) return null;
  return {
    name: session.user,
    role: session.role,
    actor: `user:${session.user}`,
    expiresMs: session.expiresMs,
    scopes: null,
  };
}

/** What stands behind `Authorization: Bearer`; undefined without such a header. Then a cookie does not count. */
export function bearerToken(context: ApiContext): string | undefined {
  const value = context.req.header("authorization");
  return value === undefined ? undefined : (/^bearer +(\S+)$/i.exec(value)?.[1] ?? "");
}

/** Its scopes say what it may do; the role is the least there is. */
async function machineOf(secret: string, { state }: ApiOptions): Promise<Identity | null> {
  const token = await state.tokens.authenticate(secret);
  if (token === null) return null;
  const { id, scopes, expiresMs } = token;
  return { name: id, role: "viewer", actor: `token:${id}`, expiresMs, scopes };
}

export function setSession(context: ApiContext, token: string, expiresMs: number, options: ApiOptions): void {
  setCookie(context, cookieName(options), token, {
    path: "/",
    httpOnly: true,
    sameSite: "Strict",
    secure: isOverTls(options),
    maxAge: Math.max(0, Math.floor((expiresMs - options.clock()) / 1000)),
  });
}

export function clearSession(context: ApiContext, options: ApiOptions): void {
  deleteCookie(context, cookieName(options), { path: "/", secure: isOverTls(options) });
}

/** Guards every unsafe method, signed in or not. @throws ApiError `api.cross-site` */
export function expectSameSite(context: ApiContext, options: ApiOptions): void {
  if (SAFE_METHODS.has(context.req.method) || options.identityOf !== undefined) return;
  // No browser adds this header by itself, and with it no cookie counts.
  if (bearerToken(context) !== undefined) return;
  const site = context.req.header("sec-fetch-site");
  const origin = context.req.header("origin");
  const isOwn =
    context.req.header(CSRF_HEADER) !== undefined &&
    (site === undefined || site === "same-origin") &&
    (origin === undefined || isOwnOrigin(origin, context, options));
  if (!isOwn)
    throw new ApiError("api.cross-site", `expected a request of this console with the header ${CSRF_HEADER}`);
}

function isOwnOrigin(origin: string, context: ApiContext, { config }: ApiOptions): boolean {
  const { publicUrl } = config.console;
  if (publicUrl !== null && origin === new URL(publicUrl).origin) return true;
  return URL.parse(origin)?.host === context.req.header("host");
}
