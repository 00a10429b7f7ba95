// What `adyton store status` and `adyton store rebuild` do.
import { availableParallelism } from "node:os";
import { Keyring } from "../../log/keyring.ts";
import { SealedLog } from "../../log/sealed-log.ts";
import { Store } from "../../store/store.ts";
import type { Context } from "../context.ts";
import { DerivationPool } from "../derive-pool.ts";
import { derivedVersion, otherRows } from "../features.ts";
import { Pump } from "../pump.ts";
import { storeOptions } from "../store-options.ts";

/** @throws StoreError `store.locked` while a server holds the store */
export async function status({ config, folder, output }: Context): Promise<void> {
  const keys = await Keyring.open({ folder: folder.root });
  const log = await SealedLog.open({ folder: folder.root, keys, origin: config.log.origin });
  const store = await Store.open({ ...(await storeOptions(config.store)), folder: folder.store });
  try {
    const [position, size, tables] = [await store.position(), await log.size(), await store.tables()];
    const version = await derivedVersion(config.detect.embeddingModel, keys);
    const others = await otherRows(store, version);
    output.result({ position, size, behind: size - position, version, otherVersions: others, tables }, () => {
      output.pairs([
        ["leaves sealed", size],
        ["taken in", position],
        ["behind", size - position],
        ["rows of other versions", others],
      ]);
      if (others > 0) output.line("adyton store rebuild derives them again, from the log.");
      output.line();
      output.table(tables, [
        { title: "table", cell: ({ table }) => table },
        { title: "rows", cell: ({ rows }) => rows, right: true },
        { title: "bytes", cell: ({ bytes }) => bytes, right: true },
      ]);
    });
  } finally {
    await store.close();
    log.close();
    keys.close();
  }
}

/** @throws StoreError, LogError */
export async function rebuild({ config, folder, output }: Context): Promise<void> {
  const startMs = performance.now();
  const keys = await Keyring.open({ folder: folder.root });
  const { embeddingModel } = config.detect;
  await derivedVersion(embeddingModel, keys);
  const log = await SealedLog.open({ folder: folder.root, keys, origin: config.log.origin });
  const store = await Store.openEmpty({ ...(await storeOptions(config.store)), folder: folder.store });
  const pool = new DerivationPool({
    folder: folder.root,
    origin: config.log.origin,
    embeddingModel,
    threads: availableParallelism(), // this one only inserts
    onFailure: (index, error) =>
      output.note(`the exchange that ends at leaf ${index} left no features: ${String(error)}`),
  });
  const progress = output.progress("rebuilding", await log.size());
  try {
    const pump = new Pump({ log, store, deriver: pool });
    const { size: _size, ...done } = await pump.drain({
      onStep: ({ position }) => progress.update(position),
    });
    progress.end();
    const seconds = (performance.now() - startMs) / 1000;
    output.result({ ...done, seconds }, () => {
      const erased = done.erased > 0 ? `; ${done.erased} erased exchanges left out` : "";
      output.line(
        `Derived ${done.exchanges} exchanges and ${done.accounts} account facts in ${seconds.toFixed(1)} s${erased}.`,
      );
    });
  } finally {
    progress.end();
    await pool.close();
    await store.close();
    log.close();
    keys.close();
  }
}
