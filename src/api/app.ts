// Puts the API together: identity, roles, errors and headers around every route of the table in access.ts.
import { randomUUID } from "node:crypto";
import { type Context, Hono, type MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { ACCESS, mayUse, type RouteName, scopeOf } from "./access.ts";
import { MAX_LIST_BYTES } from "./contract/account-list.ts";
import { ApiError, asApiError } from "./errors.ts";
import { callerOf, MAX_BODY_BYTES } from "./http.ts";
import { bearerToken, expectSameSite, identify, isOverTls } from "./identity.ts";
import { logFileHandlers } from "./log-files.ts";
import { RequestCounters } from "./metrics.ts";
import { RateLimit } from "./rate-limit.ts";
import { accountListHandlers } from "./routes/account-list.ts";
import { accountHandlers } from "./routes/accounts.ts";
import { appealHandlers } from "./routes/appeals.ts";
import { exportHandlers } from "./routes/case-export.ts";
import { caseHandlers } from "./routes/cases.ts";
import { exchangeHandlers } from "./routes/exchanges.ts";
import { findingHandlers } from "./routes/findings.ts";
import { ledgerHandlers } from "./routes/ledger.ts";
import { operationHandlers } from "./routes/operations.ts";
import { accountChangeHandlers, organizationHandlers } from "./routes/organizations.ts";
import { peopleHandlers } from "./routes/people.ts";
import { providerHandlers } from "./routes/provider.ts";
import { sessionHandlers } from "./routes/session.ts";
import { standingHandlers } from "./routes/standing.ts";
import { verdictHandlers } from "./routes/verdicts.ts";
import { applySecurityHeaders } from "./security-headers.ts";
import type { ApiContext, ApiEnv, ApiOptions, ApiServices, Handler, Handlers } from "./services.ts";
import { StaticFiles } from "./static-files.ts";
import { UnusualAccounts } from "./unusual-accounts.ts";

/** The compiler holds this complete: a route in the table without a handler, or the reverse, is a type error. */
const HANDLERS: Handlers<RouteName> = {
  ...sessionHandlers,
  ...findingHandlers,
  ...accountHandlers,
  ...accountListHandlers,
  ...accountChangeHandlers,
  ...organizationHandlers,
  ...standingHandlers,
  ...peopleHandlers,
  ...providerHandlers,
  ...exchangeHandlers,
  ...ledgerHandlers,
  ...operationHandlers,
  ...verdictHandlers,
  ...appealHandlers,
  ...caseHandlers,
  ...exportHandlers,
  ...logFileHandlers,
};

/** Sign-in tokens hold 256 random bits; the limit keeps guesses from costing us database reads and log space. */
const SIGN_IN_LIMIT = { windowMs: 60_000, each: 10, all: 100 } as const;

/** A hono app: serve it with @hono/node-server, or call `fetch` on it. */
export async function createApi(options: ApiOptions): Promise<Hono<ApiEnv>> {
  const app = new Hono<ApiEnv>();
  const files = await StaticFiles.read(options.consoleFolder);
  const services: ApiServices = {
    ...options,
    requests: new RequestCounters(),
    tokenFailures: new RateLimit({ ...SIGN_IN_LIMIT, clock: options.clock }),
    signInAttempts: new RateLimit({ ...SIGN_IN_LIMIT, clock: options.clock }),
    unusual: new UnusualAccounts(options),
  };
  app.use(async (context, next) => {
    const requestId = randomUUID();
    context.set("requestId", requestId);
    await next();
    context.header("x-request-id", requestId);
    applySecurityHeaders(context.res.headers, { overTls: isOverTls(options) });
    services.requests.count(context.req.method, context.res.status);
  });
  const [limited, limitedList] = [limitTo(MAX_BODY_BYTES), limitTo(MAX_LIST_BYTES)];
  app.use((context, next) => (sendsList(context) ? limitedList : limited)(context, next));
  for (const [name, handler] of Object.entries(HANDLERS) as [RouteName, Handler][]) {
    const [method, path] = name.split(" ") as [string, string];
    app.on(method, path, async (context) => {
      await admit(name, context, services);
      return handler(context, services);
    });
  }
  app.all("/api/*", () => {
    throw new ApiError("api.not-found", "the API has no such route");
  });
  app.get("*", (context) => consoleAnswer(context, files));
  app.notFound((context) => tell(new ApiError("api.not-found", "there is nothing here"), context));
  app.onError((error, context) => {
    const known = asApiError(error);
    if (known.status >= 500)
      options.diagnostics.error({ err: error, requestId: context.get("requestId") }, known.code);
    return tell(known, context);
  });
  return app;
}

/** The one gate in front of every handler. @throws ApiError `api.cross-site`, `api.not-signed-in`, `api.forbidden` */
async function admit(name: RouteName, context: ApiContext, options: ApiServices): Promise<void> {
  expectSameSite(context, options);
  const access = ACCESS[name];
  if (access === "anyone") return;
  const identity = await identify(context, options);
  if (identity === null) {
    if (bearerToken(context) !== undefined && !options.tokenFailures.admit(callerOf(context)))
      throw new ApiError("api.too-many-attempts", "Too many attempts. Wait a minute.");
    throw new ApiError("api.not-signed-in", "expected a session or token, got none that is alive");
  }
  const scope = scopeOf(name);
  if (identity.scopes !== null && (scope === null || !identity.scopes.includes(scope))) {
    const needed = scope === null ? "a person" : `the scope ${scope}`;
    throw new ApiError("api.forbidden", `expected ${needed}, got a token without it`);
  }
  if (identity.scopes === null && !mayUse(identity.role, access)) {
    throw new ApiError("api.forbidden", `expected the role ${access}, got ${identity.role}`);
  }
  context.set("identity", identity);
}

function consoleAnswer(context: ApiContext, files: StaticFiles): Response {
  const found = files.answer(context.req.path, context.req.header("if-none-match"));
  if (found !== null) return found;
  if (files.answer("/", undefined) !== null)
    throw new ApiError("api.not-found", "the console has no such file");
  throw new ApiError(
    "api.console-not-built",
    "expected the built console, got none: run node scripts/build-console.ts",
  );
}

function limitTo(maxSize: number): MiddlewareHandler {
  const tooLarge = new ApiError("api.body-too-large", `expected a body of at most ${maxSize} bytes`);
  return bodyLimit({ maxSize, onError: (context) => tell(tooLarge, context as ApiContext) });
}

/** Lists are long. One that says its length is read only once its sender is known; without, it is read at once, so less. */
function sendsList({ req }: Context): boolean {
  return (
    req.method === "POST" && req.path === "/api/account-list" && req.header("content-length") !== undefined
  );
}

function tell(error: ApiError, context: ApiContext): Response {
  const { code, message, status } = error;
  return context.json({ error: { code, message, requestId: context.get("requestId") } }, status);
}
