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

/** What lets a person in; printed to the terminal once, and stored as hashes only. */
export interface Secrets {
  /** One-time link into the console. */
  readonly link: string;
  /** Key for the example call; null where real upstreams are configured. */
  readonly key: string | null;
}

/** Before the parts start, so that the gateway knows the key from its first request on. */
export async function makeSecrets(
  folder: DataFolder,
  config: Config,
  { usesSample }: { usesSample: boolean },
): Promise<Secrets> {
  return { link: await signInLink(folder, config), key: usesSample ? await trialKey(folder, config) : null };
}

export interface WelcomeOptions {
  readonly folder: DataFolder;
  readonly config: Config;
  readonly output: Output;
  readonly addresses: { readonly gateway: string; readonly console: string };
  /** Null: they were not wanted. */
  readonly secrets: Secrets | null;
}

/** Prints to the terminal only; links and keys are in no log. */
export function printWelcome({ output, addresses, folder, config, secrets }: WelcomeOptions): void {
  const { link = null, key = null } = secrets ?? {};
  const lines: [string, string][] = [
    ["gateway", addresses.gateway],
    ["console", addresses.console],
    ["data", folder.root],
  ];
  if (link !== null) lines.push(["sign in", link]);
  output.result({ ...addresses, data: folder.root, signIn: link, key }, () => {
    output.line("Adyton is running.");
    output.pairs(lines.map(([name, value]) => [`  ${name}`, value] as const));
    if (link !== null)
      output.line(`  (the link works once, for ${config.console.signInLinkMinutes} minutes)`);
    if (key !== null) printTrial(output, addresses.gateway, key);
    output.line();
    output.line("Ctrl-C stops it.");
  });
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
  return await withChanges({ folder, config }, async ({ state, record }) => {
    const { token } = await state.sessions.createLink({ user: "admin", role: "admin", lifeMs }, { record });
    return signInUrl(config, token);
  });
}

/** Secrets are stored as hashes, so each start makes a new key; the old ones expire within a day. */
async function trialKey(folder: DataFolder, config: Config): Promise<string> {
  const expiresAtMs = Date.now() + TRIAL_KEY_HOURS * 60 * MINUTE_MS;
  return await withChanges({ folder, config }, async ({ state, record }) => {
    const known = await state.accounts.get(TRIAL_ACCOUNT);
    if (known === null) await state.accounts.ensure(unknownAccount(TRIAL_ACCOUNT), { record });
    const made = await state.keys.create(
      { account: TRIAL_ACCOUNT, label: "made at start", expiresAtMs },
      { record },
    );
    return made.secret;
  });
}
