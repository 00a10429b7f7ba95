// Keys on the command line: a token for a new installation, and new signing keys for an old one.
import { DataFolder } from "../../config/data-folder.ts";
import { formatVerifierKey } from "../../core/verifier-key.ts";
import type { SigningPublicKeys } from "../../log/key-store.ts";
import { Keyring, publicKeys } from "../../log/keyring.ts";
import { Ledger } from "../../log/ledger.ts";
import { keyStoreOf, TokenKeyStore } from "../../log/token-key-store.ts";
import { openActLog } from "../act.ts";
import type { Context } from "../context.ts";
import { withKeys } from "./run.ts";

export interface TokenOptions {
  readonly module: string;
  readonly label: string;
  readonly pinFile?: string;
}

/** Before the first start. @throws LogError `log.token-exists`, `log.token-failed` */
export async function initToken(context: Context, { module, label, pinFile }: TokenOptions): Promise<void> {
  const folder = await DataFolder.create(context.folder.root);
  await TokenKeyStore.create(folder, { module, label, pinFile: pinFile ?? null });
  await withKeys(context, async (keys) => {
    const vkeys = keys.currentKeys(context.config.log.origin ?? undefined).map(formatVerifierKey);
    context.output.result({ keys: vkeys }, () => {
      context.output.line(`The keys are in token ${label}. Checkpoints are signed with:`);
      for (const vkey of vkeys) context.output.line(`  ${vkey}`);
    });
  });
}

/**
 * Both steps are records under the old keys. Taking over needs the ledger to rest, so that the last checkpoint under the
 * old keys covers the record. @throws LogError `log.locked` while a server runs
 */
export async function rotateKeys(context: Context, options: { prepare: boolean }): Promise<void> {
  const { output, config } = context;
  const folder = await DataFolder.create(context.folder.root);
  await withKeys(context, async () => {}); // there must be keys to follow
  const store = await keyStoreOf(folder);
  const next = await store.prepareNext();
  const origin = await withKeys(context, async (keys) => config.log.origin ?? keys.origin);
  const vkeys = publicKeys(origin, next).map(formatVerifierKey);
  if (options.prepare) {
    const acts = await openActLog(folder);
    try {
      await acts.record([{ act: "signing-keys.prepared", account: null, detail: { next: vkeys } }]);
    } finally {
      await acts.close();
    }
  } else await takeOver(context, { next, origin });
  output.result({ keys: vkeys, active: !options.prepare }, () => {
    output.line(
      options.prepare
        ? "These keys will sign next. Give them to witnesses and verifiers, then run adyton log rotate-keys:"
        : "Checkpoints are signed with new keys from now on. Back up keys/ again. The new keys:",
    );
    for (const vkey of vkeys) output.line(`  ${vkey}`);
  });
}

async function takeOver(
  { folder, config }: Context,
  { next, origin }: { next: SigningPublicKeys; origin: string },
): Promise<void> {
  const keys = await Keyring.open({ folder: folder.root });
  try {
    const ledger = await Ledger.open({ folder: folder.root, keys, origin: config.log.origin });
    try {
      const former = keys.currentKeys(origin).map(formatVerifierKey);
      const current = publicKeys(origin, next).map(formatVerifierKey);
      const acts = await openActLog(folder);
      try {
        await acts.record([{ act: "signing-keys.rotated", account: null, detail: { former, current } }]);
      } finally {
        await acts.close();
      }
      for (let step = await ledger.step(); step.sealed > 0 || step.more; step = await ledger.step());
      await (await keyStoreOf(folder)).activateNext();
    } finally {
      ledger.close();
    }
  } finally {
    keys.close();
  }
  // Opening the ledger signs the newest checkpoint again, with the keys of now.
  const renewed = await Keyring.open({ folder: folder.root });
  (await Ledger.open({ folder: folder.root, keys: renewed, origin: config.log.origin })).close();
  renewed.close();
}
