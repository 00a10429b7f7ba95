// Rows as JSON lines: for tables whose rows are few or of no fixed columns.
import type { EncodedRows } from "./encoded-rows.ts";

/** Rows of one INSERT: the embedded engine takes JSON as part of the statement's text (some 2 KB a row). */
const MAX_LINES_AN_INSERT = 10_000;

const encoder = new TextEncoder();

/** How JSON writes half a character (a lone surrogate), and now and then an innocent text. */
const MAYBE_BROKEN = "\\ud";

/**
 * Collects rows of one table. Texts of strangers (a model's name) may hold half a character, which JSON can write and
 * the database refuses; it becomes U+FFFD, since one such row must not stop the log's ingest for ever.
 */
export class JsonLinesBuilder {
  readonly #finished: EncodedRows[] = [];
  #lines: string[] = [];
  #first = Number.POSITIVE_INFINITY;
  #last = Number.NEGATIVE_INFINITY;

  /** `leaf`: the leaf index the row comes from, written as its first member; null: the row is written as it is. */
  add(row: object, leaf: number | null): void {
    let line = JSON.stringify(row, hasBigInt(row) ? bigIntsAsText : undefined);
    if (line.includes(MAYBE_BROKEN)) line = JSON.stringify(row, repaired);
    if (leaf !== null) {
      line = line === "{}" ? `{"leaf":${leaf}}` : `{"leaf":${leaf},${line.slice(1)}`;
      this.#first = Math.min(this.#first, leaf);
      this.#last = Math.max(this.#last, leaf);
    }
    this.#lines.push(line);
    if (this.#lines.length === MAX_LINES_AN_INSERT) this.#finish();
  }

  /** Everything that was added, as so many INSERTs. The builder is empty afterwards. */
  take(): EncodedRows[] {
    if (this.#lines.length > 0) this.#finish();
    return this.#finished.splice(0);
  }

  #finish(): void {
    const leaves = this.#last < 0 ? null : { first: this.#first, last: this.#last };
    const bytes = encoder.encode(`${this.#lines.join("\n")}\n`);
    this.#finished.push({ columns: null, bytes, rows: this.#lines.length, leaves });
    this.#lines = [];
    this.#first = Number.POSITIVE_INFINITY;
    this.#last = Number.NEGATIVE_INFINITY;
  }
}

/** Rows that carry their leaf index themselves, or none. */
export function linesOf(rows: readonly object[]): EncodedRows[] {
  const builder = new JsonLinesBuilder();
  for (const row of rows) {
    const { leaf, ...rest } = { leaf: undefined as unknown, ...row };
    builder.add(rest, leaf === undefined ? null : Number(leaf));
  }
  return builder.take();
}

function hasBigInt(row: object): boolean {
  return Object.values(row).some(
    (value) => typeof value === "bigint" || (Array.isArray(value) && typeof value[0] === "bigint"),
  );
}

function bigIntsAsText(_name: string, value: unknown): unknown {
  return typeof value === "bigint" ? value.toString() : value;
}

function repaired(name: string, value: unknown): unknown {
  return typeof value === "string" ? value.toWellFormed() : bigIntsAsText(name, value);
}
