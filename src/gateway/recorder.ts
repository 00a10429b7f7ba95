// Hands records to the log and turns its answer into the operator's choice: fail closed, or serve without a record.
import type { Logger } from "pino";
import type { CloseFigures, HeaderPairs, OpenNetwork, RecordDraft } from "../core/record.ts";
import type { Principal } from "./credentials.ts";
import type { GatewayMetrics } from "./metrics.ts";
import type { NetworkFacts } from "./network.ts";

/** The part of the log's writer that the gateway uses. */
export interface RecordWriter {
  /** Never throws; `settled` is called once, later: null when the record is durable. */
  appendThen(draft: RecordDraft, settled: (error: Error | null) => void): void;
  readonly healthy: boolean;
}

/** What became of a record. `unrecorded`: the log failed and the operator chose to serve nevertheless. */
export type Recorded = "durable" | "unrecorded" | "failed";

/** Loud, but not a second flood while the disk is down. */
const COMPLAINT_INTERVAL_MS = 1_000;

export class Recorder {
  readonly #writer: RecordWriter;
  readonly #failOpen: boolean;
  readonly #log: Logger;
  readonly #metrics: GatewayMetrics;
  #complainedAtMs = 0;

  constructor(options: { writer: RecordWriter; failOpen: boolean; log: Logger; metrics: GatewayMetrics }) {
    this.#writer = options.writer;
    this.#failOpen = options.failOpen;
    this.#log = options.log;
    this.#metrics = options.metrics;
  }

  /** False when an exchange must not even begin. */
  get accepts(): boolean {
    return this.#writer.healthy || this.#failOpen;
  }

  /** Appends and calls `then` once it is known what became of the record. Never throws. */
  append(draft: RecordDraft, then: (recorded: Recorded) => void): void {
    this.#writer.appendThen(draft, (error) => then(error === null ? "durable" : this.#failed(error)));
  }

  #failed(error: unknown): Recorded {
    const nowMs = performance.now();
    if (nowMs - this.#complainedAtMs > COMPLAINT_INTERVAL_MS) {
      this.#complainedAtMs = nowMs;
      const effect = this.#failOpen ? "exchanges are served WITHOUT A RECORD" : "exchanges are refused";
      this.#log.error(
        { err: error, unrecorded: this.#metrics.unrecorded },
        `the query log can't be written: ${effect}`,
      );
    }
    return this.#failOpen ? "unrecorded" : "failed";
  }
}

/** Who and what an exchange's records belong to. */
export interface Identity {
  readonly exchange: string;
  readonly principal: Principal;
  readonly network: NetworkFacts;
  readonly method: string;
  /** Path with query. */
  readonly target: string;
}

/** The open record: the request's body as sent, its headers with secrets withheld, and what the network says. */
export function openDraft(identity: Identity, body: Uint8Array, headers: HeaderPairs): RecordDraft {
  const { ip, asn, country, ja4 } = identity.network;
  const { key, endUser } = identity.principal;
  const { method, target: path } = identity;
  // Keys in sorted order: JSON.stringify then gives the canonical form that core/record.ts asks for.
  const network: OpenNetwork = {
    asn,
    country,
    ...(endUser === undefined ? {} : { endUser }),
    ip,
    ja4,
    key,
    method,
    path,
  };
  return {
    kind: "open",
    exchange: identity.exchange,
    account: identity.principal.account,
    timeMs: Date.now(),
    fields: [body, JSON.stringify(headers), JSON.stringify(network)],
  };
}

/** The close record: the upstream's body as received, its headers, and the figures of the exchange. */
export function closeDraft(
  identity: Identity,
  body: Uint8Array,
  headers: HeaderPairs,
  figures: CloseFigures,
): RecordDraft {
  const { code, firstByteMs, format, latencyMs, outcome, responseBytes, status, truncated } = figures;
  const canonical = { code, firstByteMs, format, latencyMs, outcome, responseBytes, status, truncated };
  return {
    kind: "close",
    exchange: identity.exchange,
    account: identity.principal.account,
    timeMs: Date.now(),
    fields: [body, JSON.stringify(headers), JSON.stringify(canonical)],
  };
}
