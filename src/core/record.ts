// What a writer hands to the log, and what the log hands back: the shapes shared by gateway, import, analyst and verifier.

/**
 * `open`: a request with who asked. `close`: its answer with its figures. `interrupted`: written by the ledger for an
 * open whose writer died. `act`: a control-plane act (key made, content revealed, finding raised …).
 */
export type RecordKind = "open" | "close" | "interrupted" | "act";

/** Names of the committed, encrypted fields of each kind. Order is the order of commitments in the leaf. */
export const FIELDS: {
  readonly open: readonly ["request", "headers", "network"];
  readonly close: readonly ["response", "headers", "figures"];
  readonly act: readonly ["detail"];
} = {
  /** request: body bytes as sent. headers, network: canonical JSON (OpenFacts). */
  open: ["request", "headers", "network"],
  /** response: body bytes as received from upstream. headers, figures: canonical JSON (CloseFacts). */
  close: ["response", "headers", "figures"],
  /** detail: canonical JSON of the act. */
  act: ["detail"],
};

/** Canonical JSON in `open.headers`: pairs in the order received; credentials replaced by "(withheld)". */
export type HeaderPairs = readonly (readonly [name: string, value: string])[];

/** Canonical JSON in `open.network`. */
export interface OpenNetwork {
  readonly ip: string | null;
  readonly asn: number | null;
  readonly country: string | null;
  /** Pseudonym of the tenant's own user; only where the tenant signed who it is. */
  readonly endUser?: string;
  readonly ja4: string | null;
  readonly method: string;
  /** Path with query. */
  readonly path: string;
  /** Public id of the virtual key, or null. */
  readonly key: string | null;
}

/** Canonical JSON in `close.figures`. */
export interface CloseFigures {
  readonly status: number;
  readonly outcome: "complete" | "aborted" | "upstream-failed" | "refused";
  /** Error code that Adyton itself answered with, or null. */
  readonly code: string | null;
  /** From request received to last byte, milliseconds. */
  readonly latencyMs: number;
  readonly firstByteMs: number | null;
  readonly responseBytes: number;
  /** True when the answer was longer than the log's limit and `response` holds only its beginning. */
  readonly truncated: boolean;
  /** `wire`: response is the upstream's body. `neutral`: it is a core Answer as JSON (imported exchanges). */
  readonly format: "wire" | "neutral";
}

/** A field's value as handed over: its bytes, or text that stands for its UTF-8 and costs no buffer of its own. */
export type FieldValue = Uint8Array | string;

/** A record before it has a place in the log. */
export type RecordDraft =
  | {
      readonly kind: "open";
      readonly exchange: string;
      readonly account: string;
      readonly timeMs: number;
      readonly fields: readonly [request: FieldValue, headers: FieldValue, network: FieldValue];
    }
  | {
      readonly kind: "close";
      readonly exchange: string;
      readonly account: string;
      readonly timeMs: number;
      readonly fields: readonly [response: FieldValue, headers: FieldValue, figures: FieldValue];
    }
  | {
      readonly kind: "act";
      /** Public name of the act, e.g. `key.created`, `content.revealed`, `finding.raised`. */
      readonly act: string;
      /** The account it concerns, under whose key the detail is encrypted; null: the installation's own. */
      readonly account: string | null;
      readonly timeMs: number;
      readonly fields: readonly [detail: FieldValue];
    };
