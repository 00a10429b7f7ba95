// Binds the features to this installation's secret: without it, stored hashes can't be tested against guesses.
import { accountRows } from "../detect/features/account-rows.ts";
import { FEATURE_COLUMNS } from "../detect/features/columns.ts";
import { EmbeddingModel } from "../detect/features/embedding-model.ts";
import { askedOf, promptOf } from "../detect/features/prompt.ts";
import { FEATURE_VERSION, rowsOf } from "../detect/features/rows.ts";
import type { Keyring } from "../log/keyring.ts";
import type { Store } from "../store/store.ts";
import type { Features } from "./derive.ts";

/** What one model's rows have added to their version, times its mark: which model made them is told by it. */
const MODEL_VERSIONS = 256;

/** @param model of `openModel`; null: the built-in sketch embeds */
export function featuresOf(keys: Keyring, model: EmbeddingModel | null = null): Features {
  const secret = { secret: keys.purposeKey("features") };
  return {
    rowsOf: (exchange) => {
      const rows = rowsOf(exchange, secret);
      if (model === null) return rows;
      const version = versionOf(model);
      return model.embed(askedOf(promptOf(exchange.request).messages)).then((embedding) => ({
        exchange_features: rows.exchange_features.map((row) => ({ ...row, embedding, version })),
      }));
    },
    accountRows: (facts) => accountRows(facts, secret),
    columns: FEATURE_COLUMNS,
  };
}

/** The configured embedding model, or null. @throws DetectError embedding-model-invalid, embedding-runtime-missing */
export async function openModel(folder: string | null, keys: Keyring): Promise<EmbeddingModel | null> {
  return folder === null ? null : await EmbeddingModel.open(folder, { secret: keys.purposeKey("features") });
}

/**
 * Version of the rows that are derived now; fails where the configured model can't be used, before threads open one each.
 * @throws DetectError embedding-model-invalid, embedding-runtime-missing
 */
export async function derivedVersion(folder: string | null, keys: Keyring): Promise<number> {
  const model = await openModel(folder, keys);
  await model?.close();
  return versionOf(model);
}

/** Rows of another version: those of an earlier Adyton, or of another embedding model. @throws StoreError */
export async function otherRows(store: Pick<Store, "query">, version: number): Promise<number> {
  const [counted] = await store.query<{ readonly others: number }>(
    "SELECT toFloat64(countIf(version != {version:UInt16})) AS others FROM exchange_features",
    { version },
  );
  return counted?.others ?? 0;
}

function versionOf(model: EmbeddingModel | null): number {
  return FEATURE_VERSION + MODEL_VERSIONS * (model?.mark ?? 0);
}
