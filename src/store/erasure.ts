// Drops what was derived from records that are erased: the store must not remember what the log has forgotten.
import { DEFAULT_STATEMENT_TIMEOUT_MS, type Engine } from "./engine.ts";

/** Rows to drop. */
export interface ErasedRows {
  /** Leaf indexes, from and before. */
  readonly records: readonly (readonly [from: number, to: number])[];
  /** An account of which every row goes that comes from a leaf before `before`. */
  readonly account: { readonly isErased: (name: string) => boolean; readonly before: number } | null;
}

const SELECT_TABLES = `
SELECT table, countIf(name = 'account') > 0 AS named FROM system.columns
WHERE database = currentDatabase()
  AND table IN (SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree')
GROUP BY table HAVING countIf(name = 'leaf') > 0 ORDER BY table`;
const SELECT_ACCOUNTS = "SELECT DISTINCT account FROM {table:Identifier} WHERE leaf < {before:UInt64}";
const DELETE_ACCOUNTS = `ALTER TABLE {table:Identifier}
DELETE WHERE account IN {names:Array(String)} AND leaf < {before:UInt64} SETTINGS mutations_sync = 2`;
const DELETE_RECORDS = `ALTER TABLE {table:Identifier}
DELETE WHERE arrayExists(span -> leaf >= span.1 AND leaf < span.2, {spans:Array(Tuple(UInt64, UInt64))})
SETTINGS mutations_sync = 2`;
/** Spans of one statement. */
const SPANS_AT_ONCE = 1_000;

/** Waits until the rows are gone from every table that is fed from the log. Safe to repeat. */
export async function eraseRows(engine: Engine, { records, account }: ErasedRows): Promise<void> {
  const query = <T>(sql: string, parameters: Record<string, unknown> = {}): Promise<T[]> =>
    engine.query<T>(sql, parameters, DEFAULT_STATEMENT_TIMEOUT_MS);
  for (const { table, named } of await query<{ table: string; named: number }>(SELECT_TABLES)) {
    for (let at = 0; at < records.length; at += SPANS_AT_ONCE) {
      const spans = records.slice(at, at + SPANS_AT_ONCE).map(([from, to]) => `(${from},${to})`);
      await engine.execute(DELETE_RECORDS, { table, spans: `[${spans.join(",")}]` });
    }
    if (account === null || Number(named) === 0) continue;
    const { isErased, before } = account;
    const rows = await query<{ account: string }>(SELECT_ACCOUNTS, { table, before });
    const names = rows.map((row) => row.account).filter(isErased);
    if (names.length > 0) await engine.execute(DELETE_ACCOUNTS, { table, names, before });
  }
}
