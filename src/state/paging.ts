// Pages and text search, the same for every list.
import { type RawBuilder, sql } from "kysely";

export interface Page<Item> {
  readonly items: readonly Item[];
  /** How many match in all. */
  readonly total: number;
}

const STANDARD_LIMIT = 100;
const MAX_LIMIT = 1000;

/** Keeps what a caller asks for within limits. */
export function window(query: { offset?: number | undefined; limit?: number | undefined }): {
  offset: number;
  limit: number;
} {
  const { offset = 0, limit = STANDARD_LIMIT } = query;
  return {
    offset: Math.max(Math.trunc(offset), 0),
    limit: Math.min(Math.max(Math.trunc(limit), 1), MAX_LIMIT),
  };
}

/** Whether the column holds `part` anywhere, upper and lower case alike (ASCII). `%` and `_` in `part` mean themselves. */
export function containing(column: string, part: string): RawBuilder<boolean> {
  const pattern = `%${part.replace(/[\\%_]/g, "\\$&")}%`;
  return sql<boolean>`lower(${sql.ref(column)}) like lower(${pattern}) escape '\\'`;
}
