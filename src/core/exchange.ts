// The noun everything is about: one request with its answer, as the rest of Adyton reads it.

/** How an exchange ended. `interrupted`: a crash cut it; `aborted`: the client went away. */
export type Outcome = "complete" | "aborted" | "upstream-failed" | "refused" | "interrupted";

/** What the network said of the caller. Evidence about the principal, never its identity. */
export interface Client {
  readonly ip: string | null;
  /** Autonomous system number, where a table or a load balancer told it. */
  readonly asn: number | null;
  /** ISO 3166-1 alpha-2 country of the network. */
  readonly country: string | null;
  readonly userAgent: string | null;
  /** Operating system as headers other than the user agent name it; absent: they don't. */
  readonly declaredSystem?: string;
  readonly ja4: string | null;
  /** Header names in lower case, in the order they came. */
  readonly headers: readonly string[];
}

export interface Usage {
  readonly promptTokens: number;
  readonly completionTokens: number;
}

export interface Answer {
  /** HTTP status the client got; 0 when it got none. */
  readonly status: number;
  readonly text: string;
  readonly finishReason: string | null;
  readonly toolCalls: readonly unknown[];
  /** As the upstream counted, or null where it did not say. */
  readonly usage: Usage | null;
}

/** An exchange in clear. Lives only in memory: on disk it is ciphertext (log) or features (store). */
export interface Exchange {
  readonly id: string;
  /** The authenticated principal. Never taken from a body or a client-chosen header. */
  readonly account: string;
  /** Public id of the key that was used, or null in pass-through mode. */
  readonly key: string | null;
  /** Milliseconds since the epoch, UTC. */
  readonly openedAtMs: number;
  readonly closedAtMs: number;
  readonly client: Client;
  /** Path of the API, without query: `/v1/chat/completions`. */
  readonly endpoint: string;
  /** The request body, parsed; null when it was not JSON. Attacker-controlled. */
  readonly request: unknown;
  readonly answer: Answer;
  readonly outcome: Outcome;
}
