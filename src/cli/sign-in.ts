// `adyton sign-in`: the way into the console, for whoever may run commands on this machine.
import { Command, Option } from "commander";
import type { Config } from "../config/schema.ts";
import { ROLES, type Role } from "../core/role.ts";
import { contextOf } from "./context.ts";
import { timeText } from "./output.ts";
import { withChanges } from "./with-state.ts";

const MINUTE_MS = 60_000;

export function signInCommand(): Command {
  return new Command("sign-in")
    .description("Print a one-time link into the console.")
    .option("--user <name>", "whom the link signs in; a new user is made", "admin")
    .addOption(
      new Option("--role <role>", "what the user may do from now on").choices(ROLES).default("admin"),
    )
    .addHelpText("after", "\nExamples:\n  adyton sign-in\n  adyton sign-in --user ada --role analyst")
    .action(async ({ user, role }: { user: string; role: Role }, self: Command) => {
      const context = contextOf(self);
      const lifeMs = context.config.console.signInLinkMinutes * MINUTE_MS;
      await withChanges(context, async ({ state, record }) => {
        const { token, expiresMs } = await state.sessions.createLink({ user, role, lifeMs }, { record });
        const url = signInUrl(context.config, token);
        context.output.result({ url, user, role, expiresMs }, () => {
          context.output.line(url);
          context.output.note(`Signs in ${user} (${role}) once, until ${timeText(expiresMs)}.`);
        });
      });
    });
}

/** The token is in the fragment: browsers send it to no server, so it is in no log of a proxy. */
export function signInUrl(
  { console: { listen, publicUrl } }: Pick<Config, "console">,
  token: string,
): string {
  const host = listen.host.includes(":") ? `[${listen.host}]` : listen.host;
  const base = publicUrl ?? `http://${host}:${listen.port}`;
  return `${base.replace(/\/$/, "")}/sign-in#token=${token}`;
}
