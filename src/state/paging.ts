// Pages and text search, the same for every list.
import { type RawBuilder, type SelectQueryBuilder, sql } from "kysely";

export interface Page<Item> {
  readonly items: readonly Item[];
  /** How many match in all. */
  readonly total: number;
}

/** What a caller asks of any list of pages. */
export interface PageQuery {
  readonly offset?: number | undefined;
  /** 1 to 1000; 100 by default. */
  readonly limit?: number | undefined;
}

const STANDARD_LIMIT = 100;
const MAX_LIMIT = 1000;

/** Rows of a list as the caller asked, kept within 1 and 1000; 100 by default. */
export function rowLimit(limit: number | undefined): number {
  return Math.min(Math.max(Math.trunc(limit ?? STANDARD_LIMIT), 1), MAX_LIMIT);
}

/** What a caller asks for, kept within limits. */
export function window(query: PageQuery): { offset: number; limit: number } {
  return { offset: Math.max(Math.trunc(query.offset ?? 0), 0), limit: rowLimit(query.limit) };
}

/**
 * A page of `ordered`, and how many rows `matching` has in all.
 * @param matching the filtered tables, nothing selected yet
 * @param ordered the same with columns and a total order
 */
export async function pageOf<DB, TB extends keyof DB, Row, Item>(
  matching: SelectQueryBuilder<DB, TB, object>,
  ordered: SelectQueryBuilder<DB, TB, Row>,
  query: PageQuery,
  itemOf: (row: Row) => Item,
): Promise<Page<Item>> {
  const { offset, limit } = window(query);
  // One after the other: the embedded database has one connection anyway.
  const rows = await ordered.limit(limit).offset(offset).execute();
  const counted = await matching.select(sql<number>`count(*)`.as("total")).executeTakeFirstOrThrow();
  // The compiler can't see the one column that was selected, because the tables are any tables.
  const { total } = counted as unknown as { total: number };
  return { items: rows.map((row) => itemOf(row as Row)), total: Number(total) };
}

/** Whether the column holds `part` anywhere, upper and lower case alike (ASCII). `%` and `_` in `part` mean themselves. */
export function containing(column: string, part: string): RawBuilder<boolean> {
  const pattern = `%${part.replace(/[\\%_]/g, "\\$&")}%`;
  return sql<boolean>`lower(${sql.ref(column)}) like lower(${pattern}) escape '\\'`;
}
