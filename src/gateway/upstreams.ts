// The model servers behind the gateway: one connection pool each, chosen by API family and model. Only the operator's
// configuration names them; nothing in a request can.
import { Pool } from "undici";
import type { SecretReference } from "../config/fields.ts";
import type { GatewayLimits, Upstream } from "../config/gateway-section.ts";
import { GatewayError } from "./errors.ts";
import type { UpstreamCredential } from "./headers.ts";
import type { Route } from "./routes.ts";

/** Largest head of an upstream's answer. Providers send about 1 KiB; rate-limit and policy headers make it grow. */
const MAX_UPSTREAM_HEADER_BYTES = 64 * 1024;

/** One upstream, ready to be called. */
export interface Target {
  readonly name: string;
  readonly family: Upstream["family"];
  readonly pool: Pool;
  /** Path of the configured URL, without a final slash. */
  readonly basePath: string;
  readonly host: string;
  readonly credential: UpstreamCredential | null;
  /** Models it serves; null: every model. */
  readonly models: ReadonlySet<string> | null;
}

export class Upstreams {
  readonly #targets: readonly Target[];
  /** Candidates of each family in order of preference, worked out once. */
  readonly #candidates: Map<Route["family"], readonly Target[]> = new Map();

  private constructor(targets: readonly Target[]) {
    this.#targets = targets;
  }

  /**
   * Opens the pools (connections are made on demand) and fetches the upstreams' keys once.
   * @throws ConfigError `secret-unavailable`, GatewayError `gateway.options-invalid`
   */
  static async open(
    upstreams: readonly Upstream[],
    {
      limits,
      readSecret,
    }: { limits: GatewayLimits; readSecret: (reference: SecretReference) => Promise<string> },
  ): Promise<Upstreams> {
    const targets: Target[] = [];
    for (const upstream of upstreams) {
      const secret = upstream.key === null ? null : await readSecret(upstream.key);
      targets.push(targetOf(upstream, secret, limits));
    }
    return new Upstreams(targets);
  }

  /**
   * The first upstream of the route's family that serves the model, else the first `any`; null when there is none.
   * The body is parsed only when the choice depends on it.
   */
  find(route: Route, body: Uint8Array): Target | null {
    const candidates = this.#candidatesOf(route.family);
    const [first] = candidates;
    if (first === undefined || first.models === null) return first ?? null;
    const model = modelOf(route, body);
    return candidates.find(({ models }) => models === null || model === null || models.has(model)) ?? null;
  }

  #candidatesOf(family: Route["family"]): readonly Target[] {
    const known = this.#candidates.get(family);
    if (known !== undefined) return known;
    const ofFamily = this.#targets.filter((target) => target.family === family);
    const candidates = [...ofFamily, ...this.#targets.filter((target) => target.family === "any")];
    this.#candidates.set(family, candidates);
    return candidates;
  }

  async close(): Promise<void> {
    await Promise.all(this.#targets.map(({ pool }) => pool.destroy()));
  }
}

function targetOf(upstream: Upstream, secret: string | null, limits: GatewayLimits): Target {
  const url = new URL(upstream.url);
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new GatewayError(
      "gateway.options-invalid",
      `expected an http or https upstream, got ${url.protocol}`,
    );
  }
  const pool = new Pool(url.origin, {
    connections: upstream.connections,
    pipelining: 1,
    headersTimeout: limits.upstreamHeadersTimeoutMs,
    bodyTimeout: limits.idleTimeoutMs,
    maxHeaderSize: MAX_UPSTREAM_HEADER_BYTES,
    connect: { timeout: limits.upstreamConnectTimeoutMs },
  });
  return {
    name: upstream.name,
    family: upstream.family,
    pool,
    basePath: url.pathname.replace(/\/$/, ""),
    host: url.host,
    credential: secret === null ? null : credentialOf(upstream, secret),
    models: upstream.models.length === 0 ? null : new Set(upstream.models),
  };
}

function credentialOf(upstream: Upstream, secret: string): UpstreamCredential {
  const name = upstream.keyHeader ?? (upstream.family === "anthropic" ? "x-api-key" : "authorization");
  return { name, value: name === "authorization" ? `Bearer ${secret}` : secret };
}

function modelOf(route: Route, body: Uint8Array): string | null {
  const inPath = /^\/v[12]\/models\/([^/]+)/.exec(route.path)?.[1];
  if (inPath !== undefined) return inPath;
  if (body.length === 0) return null;
  try {
    const parsed: unknown = JSON.parse(
      Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8"),
    );
    if (typeof parsed !== "object" || parsed === null || !("model" in parsed)) return null;
    return typeof parsed.model === "string" ? parsed.model : null;
  } catch {
    // Not JSON: the upstream says what it thinks of it.
    return null;
  }
}
