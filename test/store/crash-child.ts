// Child of the crash tests: takes batches in, one after the other, until it is done or killed.
import { AdytonError } from "../../src/core/errors.ts";
import { Store } from "../../src/store/store.ts";

/** Leaves of one batch. */
const BATCH = 500;

/** Rows are a function of their leaf, as they are in life: each leaf ends an exchange, every third one an account too. */
export function rowsFrom(from: number, to: number): Record<string, object[]> {
  const leaves = Array.from({ length: to - from }, (_, index) => from + index);
  return {
    numbers: leaves.map((leaf) => ({ leaf, n: (leaf * 2_654_435_761) % 4_294_967_296 })),
    names: leaves.filter((leaf) => leaf % 3 === 0).map((leaf) => ({ leaf, name: `name ${leaf}` })),
  };
}

export async function fill(store: Store, goal: number, onBatch: () => void = () => {}): Promise<void> {
  for (let from = await store.position(); from < goal; from = await store.position()) {
    const to = Math.min(goal, from + BATCH);
    await store.insertBatch({ rows: rowsFrom(from, to), position: to });
    onBatch();
  }
}

const [folder, migrations, goal] = process.argv.slice(2);
if (import.meta.main && folder !== undefined && migrations !== undefined) {
  try {
    const store = await Store.open({ folder, migrations });
    await fill(store, Number(goal), () => process.stdout.write("."));
    await store.close();
    process.stdout.write("done");
  } catch (error) {
    process.stdout.write(error instanceof AdytonError ? error.code : String(error));
    process.exitCode = 1;
  }
}
