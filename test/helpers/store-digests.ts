// What is in the store, in a form that two stores can be compared by.
import { Store } from "../../src/store/store.ts";

export interface TableDigest {
  readonly table: string;
  readonly rows: number;
  readonly digest: string;
}

/** Every row of every table that is fed from the log, in the order of leaves. */
export async function storeDigests(folder: string): Promise<TableDigest[]> {
  const store = await Store.open({ folder });
  try {
    const tables = await store.query<{ table: string }>(
      "SELECT DISTINCT table FROM system.columns WHERE database = currentDatabase() AND name = 'leaf' ORDER BY table",
    );
    const found: TableDigest[] = [];
    for (const { table } of tables) {
      const rows = await store.query<{ rows: number; digest: string }>(
        `SELECT toUInt32(count()) AS rows, hex(sipHash128(groupArray(text))) AS digest
         FROM (SELECT toString(tuple(*)) AS text FROM {table:Identifier} ORDER BY leaf, text)`,
        { table },
      );
      found.push(...rows.map((row) => ({ table, ...row })));
    }
    return found;
  } finally {
    await store.close();
  }
}
