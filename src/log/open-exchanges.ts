// Exchanges that have an open leaf and no close yet, as the ledger keeps them in memory and in state.json.
import { LogError } from "./errors.ts";
import { type LedgerState, MAX_OPEN_EXCHANGES } from "./ledger-state.ts";

/** An open that waits for its close. */
export interface OpenExchange {
  readonly exchange: string;
  /** Leaf index of the open. */
  readonly leaf: number;
  /** Its sequence number. */
  readonly sequence: number;
}

export class OpenExchanges {
  /** Writer and incarnation, then exchange. */
  readonly #byWriter: Map<string, { writer: string; incarnation: number; opens: Map<string, OpenExchange> }> =
    new Map();
  #count = 0;

  static from(rows: LedgerState["open"]): OpenExchanges {
    const all = new OpenExchanges();
    for (const [writer, incarnation, exchange, leaf, sequence] of rows)
      all.add(writer, incarnation, { exchange, leaf, sequence });
    return all;
  }

  toRows(): LedgerState["open"] {
    const rows: LedgerState["open"] = [];
    for (const { writer, incarnation, opens } of this.#byWriter.values())
      for (const open of opens.values())
        rows.push([writer, incarnation, open.exchange, open.leaf, open.sequence]);
    return rows;
  }

  add(writer: string, incarnation: number, open: OpenExchange): void {
    if (this.#count >= MAX_OPEN_EXCHANGES)
      throw new LogError("log.too-many-open", `expected at most ${MAX_OPEN_EXCHANGES} open exchanges`);
    const key = `${writer}/${incarnation}`;
    let entry = this.#byWriter.get(key);
    if (entry === undefined) {
      entry = { writer, incarnation, opens: new Map() };
      this.#byWriter.set(key, entry);
    }
    entry.opens.set(open.exchange, open);
    this.#count += 1;
  }

  /** Removes and returns the open of an exchange, or null. */
  take(writer: string, incarnation: number, exchange: string): OpenExchange | null {
    const key = `${writer}/${incarnation}`;
    const entry = this.#byWriter.get(key);
    const open = entry?.opens.get(exchange);
    if (entry === undefined || open === undefined) return null;
    entry.opens.delete(exchange);
    if (entry.opens.size === 0) this.#byWriter.delete(key);
    this.#count -= 1;
    return open;
  }

  /** Removes and returns all opens of an incarnation that is over, in the order of their leaves. */
  takeAll(writer: string, incarnation: number): OpenExchange[] {
    const key = `${writer}/${incarnation}`;
    const opens = [...(this.#byWriter.get(key)?.opens.values() ?? [])];
    this.#byWriter.delete(key);
    this.#count -= opens.length;
    return opens;
  }

  has(writer: string, incarnation: number): boolean {
    return this.#byWriter.has(`${writer}/${incarnation}`);
  }
}
