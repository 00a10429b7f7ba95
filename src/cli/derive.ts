// From a stretch of the sealed log to rows of the store: joins the records of an exchange, decodes, derives features.
import type { AccountFacts } from "../core/account.ts";
import { exchangeOf, type ReadableRecord } from "../core/decode/exchange-of.ts";
import { asObject, asTextOrNull, parseJsonBytes } from "../core/decode/json.ts";
import type { Exchange } from "../core/exchange.ts";
import { type PlacedTombstone as LogTombstone, parseTombstone, TOMBSTONE_ACT } from "../core/tombstone.ts";
import { decompress } from "../log/content-coding.ts";
import { LogError } from "../log/errors.ts";
import type { Columns, EncodedRows } from "../store/encoded-rows.ts";
import { JsonLinesBuilder } from "../store/json-lines.ts";
import { RowBinaryBuilder } from "../store/row-binary.ts";
import { WaitingOpens } from "./waiting-opens.ts";

/** An erasure with the index of its record. */
export type PlacedTombstone = Omit<LogTombstone, "time">;

/** A record of the sealed log, as the derivation needs it. */
export interface SourceRecord extends ReadableRecord {
  readonly index: number;
  readonly leaf: ReadableRecord["leaf"] & {
    readonly open?: number | undefined;
    readonly act?: string | undefined;
  };
}

/** The sealed log, as the derivation needs it. */
export interface RecordSource {
  /** Leaves that are sealed. */
  size(): Promise<number>;
  /** Records with `from <= index < to`, in order. */
  records(from: number, to: number): AsyncIterable<SourceRecord>;
  record(index: number): Promise<SourceRecord>;
}

/** By table. */
export type Rows = Readonly<Record<string, readonly object[]>>;

/** What turns facts into rows. Both are pure. Rows need no `leaf`: it is added here. */
export interface Features {
  /** Rows by table of one exchange. Must be total: hostile content may not make it throw. Later where a model is asked. */
  readonly rowsOf: (exchange: Exchange) => Rows | Promise<Rows>;
  /** Rows by table of what is known of an account. */
  readonly accountRows: (facts: AccountFacts) => Rows;
  /** Tables whose rows are written out as bytes of these columns; others become JSON. */
  readonly columns?: Readonly<Record<string, Columns>>;
}

export interface Derived {
  /** Rows by table, ready to be inserted. */
  readonly lines: Readonly<Record<string, readonly EncodedRows[]>>;
  readonly exchanges: number;
  readonly accounts: number;
  /** Exchanges whose content was erased: they leave no rows. */
  readonly erased: number;
  /** Exchanges whose features could not be derived; each was reported. */
  readonly failed: number;
  /** Erasures that were recorded in this stretch: rows from before are to be dropped. */
  readonly tombstones: readonly PlacedTombstone[];
}

/** Bytes of opens that wait in memory for their close; beyond it the oldest are read again from the log. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;

/** Derives stretches of the log. */
export interface Deriver {
  /** Rows of the leaves `from` to `to`, which are sealed. */
  derive(from: number, to: number): Promise<Derived>;
}

type Builders = Map<string, JsonLinesBuilder | RowBinaryBuilder>;

/** Keeps opens between calls, so that a close finds its open without a second read of the log. */
export class Derivation implements Deriver {
  readonly #log: RecordSource;
  readonly #features: Features;
  readonly #onFailure: (index: number, error: unknown) => void;
  readonly #waiting: WaitingOpens<SourceRecord> = new WaitingOpens(MAX_WAITING_BYTES);
  /** Where a stretch begins that follows on the last one. */
  #next = 0;

  constructor(
    log: RecordSource,
    features: Features,
    options: { readonly onFailure?: (index: number, error: unknown) => void } = {},
  ) {
    this.#log = log;
    this.#features = features;
    this.#onFailure = options.onFailure ?? (() => {});
  }

  /** Rows of the leaves `from` to `to`. An exchange belongs to the leaf that ends it. */
  async derive(from: number, to: number): Promise<Derived> {
    if (from !== this.#next) this.#waiting.clear(); // opens before a gap may have been closed within it
    const builders: Builders = new Map();
    let seen = 0;
    const tombstones: PlacedTombstone[] = [];
    const counts = { exchanges: 0, accounts: 0, erased: 0, failed: 0 };
    for await (const record of this.#log.records(from, to)) {
      seen += 1;
      switch (record.leaf.kind) {
        case "open":
          this.#waiting.add(record);
          break;
        case "close":
        case "interrupted":
          counts[await this.#takeExchange(record, builders)] += 1;
          break;
        case "act":
          if (record.leaf.act === "account.recorded") counts[await this.#takeAccount(record, builders)] += 1;
          else if (record.leaf.act === TOMBSTONE_ACT) tombstones.push(...tombstonesOf(record));
          break;
      }
    }
    if (seen !== to - from)
      throw new LogError("log.inconsistent", `expected leaves ${from} to ${to} to be sealed, got ${seen}`);
    this.#next = to;
    const lines = Object.fromEntries([...builders].map(([table, builder]) => [table, builder.take()]));
    return { lines, ...counts, tombstones };
  }

  async #takeExchange(close: SourceRecord, builders: Builders): Promise<"exchanges" | "erased" | "failed"> {
    const open = await this.#openOf(close);
    const exchange = open === null ? null : exchangeOf(open, close, { decompress });
    if (exchange === null) return "erased";
    const added = await this.#add(close.index, builders, () => this.#features.rowsOf(exchange));
    return added ? "exchanges" : "failed";
  }

  async #takeAccount(act: SourceRecord, builders: Builders): Promise<"accounts" | "erased" | "failed"> {
    if (act.content === null) return "erased";
    const facts = factsOf(act.content.get("detail"));
    if (facts === null) return "failed";
    const added = await this.#add(act.index, builders, () => this.#features.accountRows(facts));
    return added ? "accounts" : "failed";
  }

  /** One exchange that breaks the derivation must not stop all others for ever: it is reported and left out. */
  async #add(leaf: number, builders: Builders, derive: () => Rows | Promise<Rows>): Promise<boolean> {
    try {
      for (const [table, derived] of Object.entries(await derive())) {
        let builder = builders.get(table);
        if (builder === undefined) {
          const columns = this.#features.columns?.[table];
          builder = columns === undefined ? new JsonLinesBuilder() : new RowBinaryBuilder(columns);
          builders.set(table, builder);
        }
        for (const row of derived) builder.add(row, leaf);
      }
      return true;
    } catch (error) {
      this.#onFailure(leaf, error);
      return false;
    }
  }

  async #openOf(close: SourceRecord): Promise<SourceRecord | null> {
    const index = close.leaf.open;
    if (index === undefined) return null;
    return this.#waiting.take(index) ?? (await this.#log.record(index));
  }
}

function tombstonesOf({ index, content }: SourceRecord): PlacedTombstone[] {
  const detail = content?.get("detail");
  const tombstone = detail === undefined ? null : parseTombstone(detail);
  return tombstone === null ? [] : [{ ...tombstone, index }];
}

/** Facts of an `account.recorded` act. */
function factsOf(detail: Uint8Array | undefined): AccountFacts | null {
  const facts = detail === undefined ? undefined : asObject(parseJsonBytes(detail));
  const account = asTextOrNull(facts?.["account"]);
  if (facts === undefined || account === null) return null;
  const text = (name: string): string | null => asTextOrNull(facts[name]);
  return {
    account,
    created: text("created"),
    plan: text("plan"),
    payment: text("payment"),
    emailDomain: text("emailDomain"),
    country: text("country"),
    organization: text("organization"),
    declaredUse: text("declaredUse"),
  };
}
