// Which paths are served, whose API each belongs to, and therefore which error shape and which upstream it gets.

/** The API whose shapes a path speaks. `generic`: a path that only the configuration lets pass. */
export type Family = "openai" | "anthropic" | "ollama" | "v2" | "generic";

export interface Route {
  readonly family: Family;
  /** Path without query, as the client wrote it. */
  readonly path: string;
  /** HTTP methods that make sense here; null: any. */
  readonly methods: readonly string[] | null;
}

const POST: readonly string[] = ["POST"];
const GET: readonly string[] = ["GET", "HEAD"];
const READ_OR_CHANGE: readonly string[] = ["GET", "HEAD", "POST", "DELETE"];

const EXACT: ReadonlyMap<string, Omit<Route, "path">> = new Map<string, Omit<Route, "path">>([
  ["/v1/chat/completions", { family: "openai", methods: POST }],
  ["/v1/completions", { family: "openai", methods: POST }],
  ["/v1/responses", { family: "openai", methods: POST }],
  ["/v1/embeddings", { family: "openai", methods: POST }],
  ["/v1/models", { family: "openai", methods: GET }],
  ["/v1/messages", { family: "anthropic", methods: POST }],
  ["/v1/messages/count_tokens", { family: "anthropic", methods: POST }],
  ["/api/chat", { family: "ollama", methods: POST }],
  ["/api/generate", { family: "ollama", methods: POST }],
  ["/api/embed", { family: "ollama", methods: POST }],
  ["/api/embeddings", { family: "ollama", methods: POST }],
  ["/api/tags", { family: "ollama", methods: GET }],
  ["/api/show", { family: "ollama", methods: POST }],
  ["/api/version", { family: "ollama", methods: GET }],
  ["/v2", { family: "v2", methods: GET }],
  ["/v2/health/live", { family: "v2", methods: GET }],
  ["/v2/health/ready", { family: "v2", methods: GET }],
]);

/** Paths with one name in them. A name is one segment; a model's name may itself hold slashes. */
const PATTERNS: readonly (readonly [RegExp, Omit<Route, "path">])[] = [
  [/^\/v1\/models\/.+$/, { family: "openai", methods: GET }],
  [/^\/v1\/responses\/[^/]+(\/(cancel|input_items))?$/, { family: "openai", methods: READ_OR_CHANGE }],
  [/^\/v1\/chat\/completions\/[^/]+(\/messages)?$/, { family: "openai", methods: READ_OR_CHANGE }],
  [/^\/v2\/models\/[^/]+(\/versions\/[^/]+)?\/infer$/, { family: "v2", methods: POST }],
  [/^\/v2\/models\/[^/]+(\/versions\/[^/]+)?(\/ready)?$/, { family: "v2", methods: GET }],
];

/** `/v1/models` exists in two APIs; Anthropic's SDKs always send this header. */
const ANTHROPIC_MARK = "anthropic-version";

/**
 * The route of a request target, or null when nothing serves it. The target is attacker-controlled: an absolute
 * form (`GET http://elsewhere/`), a dot segment or an encoded slash never reaches an upstream, so that a path that
 * the configuration allows can't lead to one that it does not.
 */
export function routeOf(
  target: string,
  {
    passThroughPaths,
    headers,
  }: { passThroughPaths: readonly string[]; headers: Readonly<Record<string, unknown>> },
): Route | null {
  if (target.charCodeAt(0) !== 0x2f) return null;
  const end = target.indexOf("?");
  const path = end === -1 ? target : target.slice(0, end);
  const exact = EXACT.get(path);
  if (exact !== undefined) return placed(exact, path, headers);
  if (isUnsafe(path)) return null;
  for (const [pattern, route] of PATTERNS) if (pattern.test(path)) return placed(route, path, headers);
  for (const allowed of passThroughPaths)
    if (isBelow(path, allowed)) return placed(guessed(path), path, headers);
  return null;
}

function placed(route: Omit<Route, "path">, path: string, headers: Readonly<Record<string, unknown>>): Route {
  const family = path.startsWith("/v1/models") && ANTHROPIC_MARK in headers ? "anthropic" : route.family;
  return { family, methods: route.methods, path };
}

function isUnsafe(path: string): boolean {
  return /\/\.{1,2}(\/|$)|\/\/|\\|%2e|%2f|%5c|%00/i.test(path);
}

function isBelow(path: string, allowed: string): boolean {
  return allowed.endsWith("*") ? path.startsWith(allowed.slice(0, -1)) : path === allowed;
}

/** The family of a path that has no route of its own. Decides upstream and error shape, nothing else. */
function guessed(path: string): Omit<Route, "path"> {
  if (path.startsWith("/v1/messages")) return { family: "anthropic", methods: null };
  if (path.startsWith("/v1/")) return { family: "openai", methods: null };
  if (path.startsWith("/v2/")) return { family: "v2", methods: null };
  if (path.startsWith("/api/")) return { family: "ollama", methods: null };
  return { family: "generic", methods: null };
}

/** The family whose error shape a request gets before (or without) a route. */
export function familyOfPath(path: string): Family {
  return EXACT.get(path)?.family ?? guessed(path).family;
}
