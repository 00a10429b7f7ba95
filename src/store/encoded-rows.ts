// Rows as the bytes of an INSERT: made once, where the rows are made, and from there on only passed along.

/** Rows of one INSERT. Bounds the engine's memory for it (some 0.5 to 2 KB a row). */
export const MAX_ROWS_AN_INSERT = 100_000;

/** What a column of binary rows may be. A table's `LowCardinality(String)` is a `String` here. */
export type ColumnType =
  | "UInt8"
  | "UInt16"
  | "UInt32"
  | "UInt64"
  | "Float32"
  | "Nullable(Float32)"
  | "Nullable(Float64)"
  | "String"
  | "DateTime64(3, 'UTC')"
  | "Nullable(DateTime64(3, 'UTC'))"
  | "Array(Int8)"
  | "Array(Int16)"
  | "Array(UInt16)"
  | "Array(UInt32)"
  | "Array(UInt64)";

/** Columns by name, in the order in which a row's bytes hold them. */
export type Columns = Readonly<Record<string, ColumnType>>;

/** Rows of one table. */
export interface EncodedRows {
  /** `null`: one JSON object a line, valid UTF-8. Else ClickHouse's format RowBinary with these columns. */
  readonly columns: Columns | null;
  /** Alone in its memory: it can change threads. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** At most `MAX_ROWS_AN_INSERT`. */
  readonly rows: number;
  /** Smallest and largest leaf index among the rows; null: they carry none. */
  readonly leaves: { readonly first: number; readonly last: number } | null;
}
