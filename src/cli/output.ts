// How every command talks: results on standard output (text or JSON), progress and errors on standard error.
import { clip, printable, printableJson } from "./terminal.ts";

/** The two streams, and whether the second is a terminal. Tests pass their own. */
export interface Streams {
  readonly out: { write(text: string): unknown };
  readonly err: { write(text: string): unknown };
  readonly errIsTerminal: boolean;
}

export const PROCESS_STREAMS: Streams = {
  out: process.stdout,
  err: process.stderr,
  errIsTerminal: process.stderr.isTTY === true,
};

/** A cell is printed as text; null as a dash. */
export type Cell = string | number | boolean | null;

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => Cell;
  /** Widest the column gets; 60 by default. */
  readonly width?: number;
  /** Numbers read better on the right. */
  readonly right?: boolean;
}

const COLUMN_WIDTH = 60;

export class Output {
  readonly json: boolean;
  readonly #streams: Streams;

  constructor({ json, streams = PROCESS_STREAMS }: { json: boolean; streams?: Streams }) {
    this.json = json;
    this.#streams = streams;
  }

  /** The command's result: `value` as JSON with --json, else what `text` prints. Exactly one call a command. */
  result(value: unknown, text: () => void): void {
    if (this.json) this.#streams.out.write(`${printableJson(value)}\n`);
    else text();
  }

  /** One line of result. Made safe for a terminal. */
  line(text = ""): void {
    this.#streams.out.write(`${printable(text)}\n`);
  }

  /** A remark for people; never part of the result. */
  note(text: string): void {
    if (!this.json) this.#streams.err.write(`${printable(text)}\n`);
  }

  /** Rows under titles, or a sentence where there are none. Cells may be attacker-controlled. */
  list<Row>(rows: readonly Row[], none: string, columns: readonly Column<Row>[]): void {
    if (rows.length === 0) this.line(none);
    else this.table(rows, columns);
  }

  /** Rows under titles, columns as wide as what they hold. Cells may be attacker-controlled. */
  table<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): void {
    const cells = rows.map((row) =>
      columns.map((column) => clip(write(column.cell(row)), column.width ?? COLUMN_WIDTH)),
    );
    const widths = columns.map((column, index) =>
      cells.reduce((widest, row) => Math.max(widest, displayWidth(row[index] ?? "")), column.title.length),
    );
    const print = (row: readonly string[]): void => {
      const padded = row.map((text, index) => {
        const space = " ".repeat(Math.max((widths[index] ?? 0) - displayWidth(text), 0));
        return columns[index]?.right === true ? space + text : text + space;
      });
      this.#streams.out.write(`${padded.join("  ").trimEnd()}\n`);
    };
    print(columns.map((column) => column.title));
    for (const row of cells) print(row);
  }

  /** Names and values, one pair a line. */
  pairs(pairs: readonly (readonly [name: string, value: Cell])[]): void {
    const width = pairs.reduce((widest, [name]) => Math.max(widest, name.length), 0);
    for (const [name, value] of pairs) this.#streams.out.write(`${name.padEnd(width)}  ${write(value)}\n`);
  }

  /** A bar on a terminal; nothing elsewhere, so that logs of scripts stay short. */
  progress(what: string, total: number | null): Progress {
    const visible = this.#streams.errIsTerminal && !this.json;
    return new Progress(what, total, visible ? (text) => this.#streams.err.write(text) : null);
  }
}

const BAR_WIDTH = 24;
const REDRAW_MS = 100;

/** Counts up to a total (or without one) and redraws one line at most ten times a second. */
export class Progress {
  readonly #what: string;
  readonly #total: number | null;
  readonly #write: ((text: string) => void) | null;
  #drawnAtMs = Number.NEGATIVE_INFINITY;

  constructor(what: string, total: number | null, write: ((text: string) => void) | null) {
    this.#what = printable(what);
    this.#total = total;
    this.#write = write;
  }

  update(done: number): void {
    if (this.#write === null) return;
    const now = performance.now();
    if (now - this.#drawnAtMs < REDRAW_MS) return;
    this.#drawnAtMs = now;
    this.#write(`\r\u001b[K${this.#line(done)}`);
  }

  /** Wipes the line. Call it before printing anything else. */
  end(): void {
    this.#write?.("\r\u001b[K");
  }

  #line(done: number): string {
    if (this.#total === null || this.#total <= 0) return `${this.#what} ${done.toLocaleString("en")}`;
    const share = Math.min(done / this.#total, 1);
    const full = Math.round(share * BAR_WIDTH);
    const bar = "█".repeat(full) + "░".repeat(BAR_WIDTH - full);
    return `${this.#what} ${bar} ${Math.floor(share * 100)} %`;
  }
}

function write(cell: Cell): string {
  return cell === null ? "–" : printable(String(cell));
}

/** Terminals draw East Asian wide characters and most emoji over two columns. */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;

function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) width += WIDE.test(character) ? 2 : /\p{Mn}/u.test(character) ? 0 : 1;
  return width;
}

/** `15,600,000`: long numbers, for people. */
export function count(value: number): string {
  return value.toLocaleString("en-GB");
}

/** `2026-11-22 10:15:03Z`: the same in every time zone, and short. */
export function timeText(ms: number | null): string | null {
  return ms === null
    ? null
    : new Date(ms)
        .toISOString()
        .replace("T", " ")
        .replace(/\.\d+Z$/, "Z");
}
