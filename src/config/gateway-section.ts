// The gateway's settings: where it listens, which models it fronts, and every limit of the request path.
import { z } from "zod";
import {
  addressBlock,
  headerName,
  httpUrl,
  type Listen,
  listen,
  type SecretReference,
  secretReference,
  whole,
} from "./fields.ts";

export type UpstreamFamily = "openai" | "anthropic" | "ollama" | "v2" | "any";

/** A model API behind the gateway. */
export interface Upstream {
  readonly name: string;
  readonly family: UpstreamFamily;
  readonly url: string;
  readonly key: SecretReference | null;
  readonly keyHeader: string | null;
  readonly models: readonly string[];
  readonly connections: number;
}

/** Every limit of the request path. */
export interface GatewayLimits {
  readonly maxHeaderBytes: number;
  readonly maxBodyBytes: number;
  readonly maxConcurrentStreams: number;
  readonly maxConcurrentPerAccount: number;
  readonly maxConcurrentPerEndUser: number;
  readonly maxBufferedBytes: number;
  readonly maxConnections: number;
  readonly requestTimeoutMs: number;
  readonly upstreamConnectTimeoutMs: number;
  readonly upstreamHeadersTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly totalTimeoutMs: number;
  readonly drainTimeoutMs: number;
  readonly maxStoredResponseBytes: number;
}

export interface GatewayConfig {
  readonly listen: Listen;
  readonly workers: number | null;
  readonly upstreams: readonly Upstream[];
  readonly passThroughPaths: readonly string[];
  readonly keyMode: "virtual" | "passthrough";
  readonly trustedProxies: readonly string[];
  readonly ja4Header: string | null;
  readonly countryHeader: string | null;
  readonly asnHeader: string | null;
  readonly onLogFailure: "failClosed" | "failOpen";
  readonly limits: GatewayLimits;
}

const MIB = 1024 * 1024;
/** A frame of the log holds 64 MiB; headers and network facts need some of it. */
const MAX_RECORDED_BYTES = 60 * MIB;

const upstream = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/)
    .meta({ description: "Short name for logs and metrics: lower-case letters, digits and hyphens." }),
  family: z.enum(["openai", "anthropic", "ollama", "v2", "any"]).meta({
    description:
      "Which API it speaks; decides which paths go to it. `v2` is the Open Inference Protocol; `any` takes what no other upstream takes.",
  }),
  url: httpUrl.meta({ description: "Base URL. The client's path is appended to its path." }),
  key: secretReference.nullable().default(null).meta({
    description:
      "Where the upstream's own key is kept: `{ env: NAME }` or `{ file: PATH }`. It never reaches a client or a log. `null`: the upstream wants none.",
  }),
  keyHeader: headerName.nullable().default(null).meta({
    description:
      "Header that carries the upstream's key. `null` chooses by family: `x-api-key` for anthropic, `authorization: Bearer` for the rest.",
  }),
  models: z.array(z.string().min(1).max(256)).max(1000).default([]).meta({
    description: "Model names that go to this upstream when several share a family. Empty: every model.",
  }),
  connections: whole(
    1,
    4096,
    256,
    "Most connections one worker opens to this upstream; further requests wait in line.",
  ),
});

const limits = z.strictObject({
  maxHeaderBytes: whole(
    1024,
    256 * 1024,
    16_384,
    "Largest request head, bytes. Official SDKs send less than 2 KiB.",
  ),
  maxBodyBytes: whole(
    1024,
    MAX_RECORDED_BYTES,
    32 * MIB,
    "Largest request body, bytes. Long contexts with a few images fit; a record of the log holds at most 64 MiB.",
  ),
  maxConcurrentStreams: whole(
    1,
    100_000,
    1024,
    "Most exchanges in flight in one worker; the next one is told to retry.",
  ),
  maxConcurrentPerAccount: whole(
    1,
    100_000,
    256,
    "Most exchanges of one account in flight in one worker, so that one customer can't take every place.",
  ),
  maxConcurrentPerEndUser: whole(
    1,
    100_000,
    32,
    "Most exchanges in flight in one worker of one end user that a tenant names in a signed `adyton-end-user`, so that one of its users can't take every place of the tenant.",
  ),
  maxBufferedBytes: whole(
    MIB,
    1024 * 1024 * MIB,
    512 * MIB,
    "Most memory that request bodies and answers in flight may take in one worker, bytes; the next request is told to retry.",
  ),
  maxConnections: whole(1, 1_000_000, 8192, "Most client connections one worker holds, idle ones included."),
  requestTimeoutMs: whole(
    100,
    3_600_000,
    60_000,
    "Time a client has to send its whole request, milliseconds. Ends slow-body attacks.",
  ),
  upstreamConnectTimeoutMs: whole(100, 600_000, 10_000, "Time to reach an upstream, milliseconds."),
  upstreamHeadersTimeoutMs: whole(
    100,
    3_600_000,
    300_000,
    "Time an upstream has until its first byte, milliseconds. Reasoning models are slow to begin.",
  ),
  idleTimeoutMs: whole(100, 3_600_000, 120_000, "Longest silence inside an answer, milliseconds."),
  totalTimeoutMs: whole(
    100,
    86_400_000,
    1_800_000,
    "Longest exchange from request to last byte, milliseconds.",
  ),
  drainTimeoutMs: whole(
    0,
    600_000,
    10_000,
    "Time that exchanges in flight get to finish, and refusals to be written down, when the gateway stops; milliseconds.",
  ),
  maxStoredResponseBytes: whole(
    1024,
    MAX_RECORDED_BYTES,
    16 * MIB,
    "Bytes of one answer kept in the log. A longer answer is served whole, and its record says that it holds the beginning.",
  ),
});

export const gatewaySection: z.ZodType<GatewayConfig, object | undefined> = z
  .strictObject({
    listen: listen(8787, "Where clients of the model API connect."),
    workers: z.number().int().min(1).max(256).nullable().default(null).meta({
      description: "Gateway processes. `null`: one for each processor core.",
    }),
    upstreams: z.array(upstream).max(100).default([]).meta({
      description:
        "The model APIs behind the gateway. Empty: the built-in sample model answers, plainly labelled as a sample.",
    }),
    passThroughPaths: z
      .array(z.string().regex(/^\/[^?#\s]*$/, "expected a path such as /v1/files or /v1/files/*"))
      .max(1000)
      .default([])
      .meta({
        description: "Further paths that are forwarded (and recorded). A final `*` takes everything below.",
      }),
    keyMode: z.enum(["virtual", "passthrough"]).default("virtual").meta({
      description:
        "`virtual`: clients hold keys made by Adyton. `passthrough`: clients keep their upstream keys, and a keyed hash of the key is the account.",
    }),
    trustedProxies: z.array(addressBlock).max(1000).default([]).meta({
      description:
        "Addresses or blocks of the load balancers whose `x-forwarded-for` and fingerprint headers are believed. Empty: nobody's, because any client can send such a header.",
    }),
    ja4Header: headerName.nullable().default(null).meta({
      description: "Header in which a trusted proxy passes the client's JA4 TLS fingerprint. `null`: none.",
    }),
    countryHeader: headerName.nullable().default(null).meta({
      description:
        "Header in which a trusted proxy passes the client network's country (ISO 3166-1 alpha-2). `null`: none.",
    }),
    asnHeader: headerName.nullable().default(null).meta({
      description:
        "Header in which a trusted proxy passes the client network's autonomous system number. `null`: none.",
    }),
    onLogFailure: z.enum(["failClosed", "failOpen"]).default("failClosed").meta({
      description:
        "When the log can't be written: `failClosed` answers 503, `failOpen` serves without a record and says so in metrics, diagnostics and console.",
    }),
    limits: limits.prefault({}).meta({
      description:
        "Limits of the request path. Each answers with the API's own error shape and a stable code.",
    }),
  })
  .prefault({})
  .superRefine((gateway, context) => {
    const seen = new Set<string>();
    for (const [index, { name }] of gateway.upstreams.entries()) {
      if (seen.has(name))
        context.addIssue({
          code: "custom",
          path: ["upstreams", index, "name"],
          message: "expected a name used once",
        });
      seen.add(name);
    }
  })
  .meta({ description: "The reverse proxy in front of the model API." });
