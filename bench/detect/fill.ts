// Fills a store with features as the pump would, without the log: what detection sees is the same, sooner.
import { readLines } from "../../src/cli/lines.ts";
import { readNeutralAccount, readNeutralExchange } from "../../src/core/decode/neutral.ts";
import type { Exchange } from "../../src/core/exchange.ts";
import { accountRows } from "../../src/detect/features/account-rows.ts";
import { FEATURE_COLUMNS } from "../../src/detect/features/columns.ts";
import type { FeatureKeys } from "../../src/detect/features/keyed-hash.ts";
import { rowsOf } from "../../src/detect/features/rows.ts";
import { RowBinaryBuilder } from "../../src/store/row-binary.ts";
import type { Store } from "../../src/store/store.ts";

/** Not a secret: worlds are made up. */
export const KEYS: FeatureKeys = { secret: Buffer.from("for benchmarks on made-up worlds") };
const ROWS_A_BATCH = 10_000;

export interface Filled {
  readonly exchanges: number;
  readonly firstMs: number;
  readonly lastMs: number;
  /** From the first line to the last row in the store, seconds. */
  readonly seconds: number;
}

/** Rows of both sources, in order. The store must be empty. Inserts run beside the deriving of the next batch. */
export async function fill(
  store: Store,
  sources: { readonly exchanges: AsyncIterable<readonly string[]>; readonly accounts: string | null },
): Promise<Filled> {
  const startedMs = performance.now();
  const builders = {
    account_facts: new RowBinaryBuilder(FEATURE_COLUMNS.account_facts),
    exchange_features: new RowBinaryBuilder(FEATURE_COLUMNS.exchange_features),
  };
  let leaf = 0;
  let inserting: Promise<void> = Promise.resolve();
  const flush = async (table: keyof typeof builders): Promise<void> => {
    const lines = builders[table].take();
    await inserting;
    inserting = store.insertBatch({ lines: { [table]: lines }, position: leaf });
  };
  if (sources.accounts !== null) {
    for await (const lines of linesIn(sources.accounts)) {
      for (const text of lines) {
        const read = readNeutralAccount(text);
        if (!("value" in read)) throw new TypeError(`expected an account, got ${read.reason}`);
        for (const row of accountRows(read.value, KEYS).account_facts) builders.account_facts.add(row, leaf);
        leaf += 1;
      }
    }
    await flush("account_facts");
  }
  const span = { exchanges: 0, firstMs: Number.POSITIVE_INFINITY, lastMs: 0 };
  for await (const lines of sources.exchanges) {
    for (const text of lines) {
      const exchange = exchangeIn(text);
      for (const row of rowsOf(exchange, KEYS).exchange_features) builders.exchange_features.add(row, leaf);
      leaf += 1;
      span.exchanges += 1;
      span.firstMs = Math.min(span.firstMs, exchange.openedAtMs);
      span.lastMs = Math.max(span.lastMs, exchange.openedAtMs);
      if (span.exchanges % ROWS_A_BATCH === 0) await flush("exchange_features");
    }
  }
  await flush("exchange_features");
  await inserting;
  return { ...span, seconds: (performance.now() - startedMs) / 1000 };
}

/** Lines of a file, plain or gzipped, in batches. */
export async function* linesIn(file: string): AsyncGenerator<readonly string[]> {
  for await (const { lines } of readLines(file))
    yield lines.flatMap((line) => (line === null || line === "" ? [] : [line]));
}

/** One line of an exchanges file. */
export function exchangeIn(text: string): Exchange {
  const read = readNeutralExchange(text);
  if (!("value" in read)) throw new TypeError(`expected an exchange, got ${read.reason}`);
  return { ...read.value, outcome: "complete" };
}
