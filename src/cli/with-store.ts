// Opens the analytical store for one command, and closes it whatever happens.
import { Store } from "../store/store.ts";
import type { Context } from "./context.ts";
import { storeOptions } from "./store-options.ts";

/** @throws StoreError `store.locked` while a server holds the embedded store */
export async function withStore<T>(
  { config, folder }: Context,
  use: (store: Store) => Promise<T>,
): Promise<T> {
  const store = await Store.open({ ...(await storeOptions(config.store)), folder: folder.store });
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}
