// `adyton keys`: what clients of the model API authenticate with.
import { Command } from "commander";
import { unknownAccount } from "../core/account.ts";
import type { Key } from "../state/keys.ts";
import { contextOf } from "./context.ts";
import { momentMs, wholeNumber } from "./duration.ts";
import { timeText } from "./output.ts";
import { withChanges, withState } from "./with-state.ts";

export function keysCommand(): Command {
  const command = new Command("keys").description("Make, list and revoke the keys of clients.");
  command
    .command("create")
    .description("Make a key. Its secret is printed once and stored nowhere.")
    .requiredOption("--account <account>", "whom the key belongs to; a new account is recorded")
    .option("--label <text>", "a note to tell keys apart", "")
    .option(
      "--expires <when>",
      "a day such as 2027-01-31, or a time such as 90d; without it the key does not expire",
    )
    .addHelpText(
      "after",
      "\nExamples:\n  adyton keys create --account acme --label 'batch jobs' --expires 90d\n  KEY=$(adyton keys create --account acme --json | jq -r .secret)",
    )
    .action(async (options: { account: string; label: string; expires?: string }, self: Command) => {
      const context = contextOf(self);
      const expiresAtMs = options.expires === undefined ? null : momentMs(options.expires, Date.now());
      await withChanges(context, async ({ state, record }) => {
        const known = await state.accounts.get(options.account);
        if (known === null) await state.accounts.ensure(unknownAccount(options.account), { record });
        const { account, label } = options;
        const { secret, key } = await state.keys.create({ account, label, expiresAtMs }, { record });
        context.output.result({ ...key, secret }, () => {
          context.output.line(secret);
          context.output.note(`Key ${key.id} of ${key.account}. This is the only time it is shown.`);
        });
      });
    });
  command
    .command("revoke <id>")
    .description("End a key for good. Gateways refuse it within a second.")
    .addHelpText("after", "\nExample:\n  adyton keys revoke k_0f1e2d3c4b5a697887")
    .action(async (id: string, _options: object, self: Command) => {
      const context = contextOf(self);
      await withChanges(context, async ({ state, record }) => {
        const key = await state.keys.revoke(id, { record });
        context.output.result(key, () => context.output.line(`Revoked ${key.id} of ${key.account}.`));
      });
    });
  command
    .command("list")
    .description("List keys; never their secrets.")
    .option("--account <account>", "only those of this account")
    .option("--after <id>", "continue after this key")
    .option("--limit <count>", "at most this many, up to 1000", wholeNumber(1, 1000), 100)
    .addHelpText("after", "\nExample:\n  adyton keys list --account acme")
    .action(async (options: { account?: string; after?: string; limit: number }, self: Command) => {
      const context = contextOf(self);
      const { output } = context;
      await withState(context, async ({ state }) => {
        const keys = await state.keys.list(options);
        output.result(keys, () =>
          output.list(keys, "There is no such key.", [
            { title: "key", cell: ({ id }) => id },
            { title: "account", cell: ({ account }) => account, width: 40 },
            { title: "status", cell: (key) => statusOf(key, Date.now()) },
            { title: "created", cell: ({ createdMs }) => timeText(createdMs) },
            { title: "expires", cell: ({ expiresMs }) => timeText(expiresMs) },
            { title: "label", cell: ({ label }) => label, width: 40 },
          ]),
        );
      });
    });
  return command;
}

function statusOf(key: Key, nowMs: number): string {
  if (key.revokedMs !== null) return "revoked";
  return key.expiresMs !== null && key.expiresMs <= nowMs ? "expired" : "active";
}
