// Tells exchanges that are in the log already, so that an import can be repeated and changes nothing.

/** Ids of one generation: about 25 MB. */
const GENERATION = 250_000;

/** What is asked about older exchanges: the log's own index. */
export interface ExchangeIndex {
  size(): Promise<number>;
  findExchange(
    id: string,
  ): Promise<{ readonly open?: number | undefined; readonly close?: number | undefined }>;
  leaf(index: number): Promise<{ readonly leaf: { readonly kind: string } }>;
}

/**
 * The latest 250,000 to 500,000 ids of this run are kept in memory, since they may not be sealed yet; older ones and
 * those of earlier runs are looked up in the log.
 */
export class KnownExchanges {
  readonly #index: ExchangeIndex;
  #recent = new Set<string>();
  #former = new Set<string>();
  #asksIndex: boolean;

  private constructor(index: ExchangeIndex, asksIndex: boolean) {
    this.#index = index;
    this.#asksIndex = asksIndex;
  }

  static async open(index: ExchangeIndex): Promise<KnownExchanges> {
    return new KnownExchanges(index, (await index.size()) > 0);
  }

  /** Whether the exchange is new; it is remembered as known. */
  async add(id: string): Promise<boolean> {
    if (this.#recent.has(id) || this.#former.has(id)) return false;
    if (this.#asksIndex && (await this.#isSealed(id))) return false;
    this.#recent.add(id);
    if (this.#recent.size >= GENERATION) {
      this.#former = this.#recent;
      this.#recent = new Set();
      this.#asksIndex = true;
    }
    return true;
  }

  /** An exchange that a crash cut in the middle is not known: its answer was lost, so it is written again as a whole. */
  async #isSealed(id: string): Promise<boolean> {
    const { open, close } = await this.#index.findExchange(id);
    if (open === undefined) return false;
    return close === undefined || (await this.#index.leaf(close)).leaf.kind !== "interrupted";
  }
}
