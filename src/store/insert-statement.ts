// The text of an INSERT, and how binary rows reach the embedded engine, which takes statements as text only.
import { randomUUID } from "node:crypto";
import { mkdir, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Columns, EncodedRows } from "./encoded-rows.ts";

export type Settings = Readonly<Record<string, string | number>>;

/** Folder below the store's for files that live as long as one INSERT. They hold features, as the store does. */
const INCOMING = "incoming";
/** What the engine's table function `file` takes for a pattern. */
const PATTERN = /[*?{}]/;

/** Rows from the statement's body (`null`) or from a file. Settings stand in the statement itself. */
export function insertStatement(
  table: string,
  columns: Columns | null,
  options: { readonly file: string | null; readonly settings: Settings },
): string {
  const into = `INSERT INTO ${identifier(table)}`;
  const settings = `SETTINGS ${Object.entries(options.settings)
    .map(([name, value]) => `${identifier(name)} = ${typeof value === "number" ? value : quoted(value)}`)
    .join(", ")}`;
  if (columns === null) return `${into} ${settings} FORMAT JSONEachRow`;
  const names = Object.keys(columns).map(identifier).join(", ");
  const structure = quoted(
    Object.entries(columns)
      .map(([name, type]) => `${identifier(name)} ${type}`)
      .join(", "),
  );
  return options.file === null
    ? `${into} (${names}) ${settings} SELECT ${names} FROM input(${structure}) FORMAT RowBinary`
    : `${into} (${names}) ${settings} SELECT ${names} FROM file(${quoted(options.file)}, 'RowBinary', ${structure})`;
}

/** A file of rows for one INSERT. */
export class RowsFile {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** @param folder of the embedded database */
  static async write(folder: string, rows: readonly EncodedRows[]): Promise<RowsFile> {
    const incoming = PATTERN.test(folder) ? tmpdir() : join(folder, INCOMING);
    await mkdir(incoming, { recursive: true, mode: 0o700 });
    const path = join(incoming, `${randomUUID()}.rows`);
    const file = await open(path, "wx", 0o600);
    try {
      for (const { bytes } of rows) await file.write(bytes);
    } finally {
      await file.close();
    }
    return new RowsFile(path);
  }

  async remove(): Promise<void> {
    await rm(this.path, { force: true });
  }

  /** What a crash left: inserts that never were, or whose rows the database holds. */
  static async removeAll(folder: string): Promise<void> {
    await rm(join(folder, INCOMING), { recursive: true, force: true });
  }
}

/** Statements with rows behind them can't bind parameters: a name must be one that needs no quoting. */
function identifier(name: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
    throw new TypeError(`expected a name, got ${JSON.stringify(name)}`);
  return name;
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
