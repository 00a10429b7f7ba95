// From the configuration's section `store` to what the store wants to know.

import type { StoreConfig } from "../config/schema.ts";
import { readSecret } from "../config/secret.ts";
import type { StoreOptions } from "../store/store.ts";

/** @throws ConfigError when the password's place can't be read */
export async function storeOptions(config: StoreConfig): Promise<Omit<StoreOptions, "folder">> {
  const { url, queryTimeoutMs, maxMemoryBytes } = config;
  if (url === null) return { queryTimeoutMs, maxMemoryBytes };
  const password = config.password === null ? undefined : await readSecret(config.password);
  return { url, database: config.database, user: config.user, password, queryTimeoutMs, maxMemoryBytes };
}
