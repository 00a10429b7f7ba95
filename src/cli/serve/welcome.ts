// What a person sees when the installation is up: where things listen, a way in, and a call to try.
import type { DataFolder } from "../../config/data-folder.ts";
import type { Config } from "../../config/schema.ts";
import { unknownAccount } from "../../core/account.ts";
import type { Output } from "../output.ts";
import { signInUrl } from "../sign-in.ts";
import { withChanges } from "../with-state.ts";

const TRIAL_ACCOUNT = "try-it";
const TRIAL_KEY_HOURS = 24;
const MINUTE_MS = 60_000;

export interface WelcomeOptions {
  readonly folder: DataFolder;
  readonly config: Config;
  readonly output: Output;
  readonly addresses: { readonly gateway: string; readonly console: string };
  readonly usesSample: boolean;
  /** False: no link and no key are made or printed. */
  readonly withSecrets: boolean;
}

/** Prints to the terminal only; links and keys are in no log. */
export async function printWelcome(options: WelcomeOptions): Promise<void> {
  const { output, addresses, folder, config } = options;
  const lines: [string, string][] = [
    ["gateway", addresses.gateway],
    ["console", addresses.console],
    ["data", folder.root],
  ];
  const link = options.withSecrets ? await signInLink(folder, config) : null;
  const key = options.withSecrets && options.usesSample ? await trialKey(folder) : null;
  if (link !== null) lines.push(["sign in", link]);
  output.result(
    { ...addresses, data: folder.root, sampleModel: options.usesSample, signIn: link, key },
    () => {
      output.line("Adyton is running.");
      output.pairs(lines.map(([name, value]) => [`  ${name}`, value] as const));
      if (link !== null)
        output.line(`  (the link works once, for ${config.console.signInLinkMinutes} minutes)`);
      if (key !== null) printTrial(output, addresses.gateway, key);
      output.line();
      output.line("Ctrl-C stops it.");
    },
  );
}

function printTrial(output: Output, gateway: string, key: string): void {
  output.line();
  output.line("No upstream is configured: a built-in sample model answers. Try it:");
  output.line();
  output.line(`  curl ${gateway}/v1/chat/completions -H 'authorization: Bearer ${key}' \\`);
  output.line("    -H 'content-type: application/json' \\");
  output.line(`    -d '{"model":"adyton-sample-1","messages":[{"role":"user","content":"What are you?"}]}'`);
}

async function signInLink(folder: DataFolder, config: Config): Promise<string> {
  const lifeMs = config.console.signInLinkMinutes * MINUTE_MS;
  return await withChanges({ folder }, async ({ state, record }) => {
    const { token } = await state.sessions.createLink({ user: "admin", role: "admin", lifeMs }, { record });
    return signInUrl(config, token);
  });
}

/** Secrets are stored as hashes, so each start makes a new key; the old ones expire within a day. */
async function trialKey(folder: DataFolder): Promise<string> {
  const expiresAtMs = Date.now() + TRIAL_KEY_HOURS * 60 * MINUTE_MS;
  return await withChanges({ folder }, async ({ state, record }) => {
    const known = await state.accounts.get(TRIAL_ACCOUNT);
    if (known === null) await state.accounts.ensure(unknownAccount(TRIAL_ACCOUNT), { record });
    const made = await state.keys.create(
      { account: TRIAL_ACCOUNT, label: "made at start", expiresAtMs },
      { record },
    );
    return made.secret;
  });
}
