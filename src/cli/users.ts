// `adyton users`: who may use the console, and as what.
import { Command } from "commander";
import { ROLES, type Role } from "../core/role.ts";
import { contextOf } from "./context.ts";
import { timeText } from "./output.ts";
import { withChanges, withState } from "./with-state.ts";

export function usersCommand(): Command {
  const command = new Command("users").description("List the console's users, change a role, shut one out.");
  command
    .command("list")
    .description("List users with their roles.")
    .addHelpText("after", "\nExample:\n  adyton users list")
    .action(async (_options: object, self: Command) => {
      const context = contextOf(self);
      const { output } = context;
      const users = await withState(context, ({ state }) => state.users.list());
      output.result(users, () =>
        output.table(users, [
          { title: "user", cell: ({ name }) => name, width: 40 },
          { title: "role", cell: ({ role }) => role },
          { title: "status", cell: ({ disabledMs }) => (disabledMs === null ? "active" : "disabled") },
          { title: "since", cell: ({ createdMs }) => timeText(createdMs) },
        ]),
      );
    });
  command
    .command("role <user> <role>")
    .description(`Change a user's role (${ROLES.join(", ")}). Open sessions follow at once.`)
    .addHelpText("after", "\nExample:\n  adyton users role ada viewer")
    .action(async (name: string, role: Role, _options: object, self: Command) =>
      change(self, name, { role }),
    );
  command
    .command("disable <user>")
    .description("End a user's sessions and unused links. A new sign-in link lets the user in again.")
    .addHelpText("after", "\nExample:\n  adyton users disable ada")
    .action(async (name: string, _options: object, self: Command) => change(self, name, { disabled: true }));
  return command;
}

async function change(self: Command, name: string, what: { role?: Role; disabled?: boolean }): Promise<void> {
  const context = contextOf(self);
  const user = await withChanges(context, ({ state, record }) => state.users.update(name, what, { record }));
  const status = user.disabledMs === null ? `is ${user.role}` : "is disabled";
  context.output.result(user, () => context.output.line(`${user.name} ${status}.`));
}
