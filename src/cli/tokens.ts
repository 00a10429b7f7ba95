// `adyton tokens`: what machines authenticate with at Adyton's own API.
import { Command } from "commander";
import type { Token } from "../state/tokens.ts";
import { contextOf } from "./context.ts";
import { durationMs, wholeNumber } from "./duration.ts";
import { CliError } from "./errors.ts";
import { timeText } from "./output.ts";
import { withChanges, withState } from "./with-state.ts";

export function tokensCommand(): Command {
  const command = new Command("tokens").description("Make, list and revoke the tokens of machines.");
  createCommand(command);
  command
    .command("revoke <id>")
    .description("End a token for good, at once.")
    .addHelpText("after", "\nExample:\n  adyton tokens revoke t_0f1e2d3c4b5a697887")
    .action(async (id: string, _options: object, self: Command) => {
      const context = contextOf(self);
      const token = await withChanges(context, ({ state, record, by }) =>
        state.tokens.revoke(id, { record, by }),
      );
      context.output.result(token, () => context.output.line(`Revoked ${token.id} (${token.label}).`));
    });
  command
    .command("list")
    .description("List tokens, newest first; never their secrets.")
    .option("--limit <count>", "at most this many, up to 1000", wholeNumber(1, 1000), 100)
    .addHelpText("after", "\nExample:\n  adyton tokens list")
    .action(async ({ limit }: { limit: number }, self: Command) => {
      const context = contextOf(self);
      const { output } = context;
      const { items } = await withState(context, ({ state }) => state.tokens.list({ limit }));
      output.result(items, () =>
        output.list(items, "There is no token.", [
          { title: "token", cell: ({ id }) => id },
          { title: "label", cell: ({ label }) => label, width: 30 },
          { title: "status", cell: (token) => statusOf(token, Date.now()) },
          { title: "scopes", cell: ({ scopes }) => scopes.join(" "), width: 60 },
          { title: "expires", cell: ({ expiresMs }) => timeText(expiresMs) },
          { title: "used", cell: ({ usedMs }) => timeText(usedMs) },
          { title: "made by", cell: ({ creator }) => creator, width: 30 },
        ]),
      );
    });
  command
    .command("scopes")
    .description("List what a token may be allowed to do.")
    .addHelpText("after", "\nExample:\n  adyton tokens scopes")
    .action(async (_options: object, self: Command) => {
      const { output } = contextOf(self);
      const { SCOPES } = await import("../api/access.ts");
      output.result(SCOPES, () => {
        for (const scope of SCOPES) output.line(scope);
      });
    });
  return command;
}

function createCommand(parent: Command): void {
  parent
    .command("create")
    .description("Make a token. Its secret is printed once and stored nowhere.")
    .requiredOption(
      "--scope <scope...>",
      "what it may do, such as findings:read; `adyton tokens scopes` lists them",
    )
    .requiredOption("--label <text>", "what it is for")
    .option("--expires <time>", "how long it works, such as 90d; a year at most", "90d")
    .addHelpText(
      "after",
      "\nExamples:\n  adyton tokens create --label prometheus --scope metrics:read --expires 365d\n  adyton tokens create --label ticketing --scope findings:read findings:write",
    )
    .action(async (options: { scope: string[]; label: string; expires: string }, self: Command) => {
      const context = contextOf(self);
      const { SCOPES } = await import("../api/access.ts");
      const strange = options.scope.find((scope) => !SCOPES.includes(scope));
      if (strange !== undefined)
        throw new CliError("usage", `expected some of ${SCOPES.join(", ")}, got ${JSON.stringify(strange)}`);
      const lifeMs = durationMs(options.expires);
      await withChanges(context, async ({ state, record, by }) => {
        const wanted = { label: options.label, scopes: options.scope, creator: by, lifeMs };
        const { secret, token } = await state.tokens.create(wanted, { record, by });
        context.output.result({ ...token, secret }, () => {
          context.output.line(secret);
          const until = timeText(token.expiresMs);
          context.output.note(`Token ${token.id}, until ${until}. This is the only time it is shown.`);
        });
      });
    });
}

function statusOf(token: Token, nowMs: number): string {
  if (token.revokedMs !== null) return "revoked";
  return token.expiresMs <= nowMs ? "expired" : "active";
}
