// `adyton alerts`: what was told to whom, what was given up, and a way to try again.
import { Command, Option } from "commander";
import { readSecret } from "../config/secret.ts";
import { ALERT_STATUSES, type Alert, type AlertStatus } from "../state/alerts.ts";
import { type Context, contextOf } from "./context.ts";
import { wholeNumber } from "./duration.ts";
import { CliError } from "./errors.ts";
import { timeText } from "./output.ts";
import { withChanges, withState } from "./with-state.ts";

export function alertsCommand(): Command {
  const command = new Command("alerts").description("Show alerts, send dead ones again, try a target.");
  command
    .command("list")
    .description("List alerts, newest first.")
    .addOption(new Option("--status <status>", "only those with this status").choices(ALERT_STATUSES))
    .option("--limit <count>", "at most this many, up to 1000", wholeNumber(1, 1000), 100)
    .addHelpText("after", "\nExample:\n  adyton alerts list --status dead")
    .action(async (query: { status?: AlertStatus; limit: number }, self: Command) => {
      const { output, ...context } = contextOf(self);
      await withState(context, async ({ state }) => {
        const page = await state.alerts.list(query);
        output.result(page, () =>
          output.list(page.items, "There is no such alert.", [
            { title: "alert", cell: ({ id }) => id },
            { title: "target", cell: ({ target }) => target },
            { title: "event", cell: ({ event }) => event },
            { title: "subject", cell: ({ subject }) => subject, width: 40 },
            { title: "status", cell: ({ status }) => status },
            { title: "attempts", cell: ({ attempts }) => attempts, right: true },
            { title: "made", cell: ({ createdMs }) => timeText(createdMs) },
            { title: "error", cell: ({ error }) => error, width: 60 },
          ]),
        );
      });
    });
  command
    .command("retry <alert>")
    .description("Put an alert that was given up in line again; a running server sends it.")
    .addHelpText("after", "\nExample:\n  adyton alerts retry al_01jx…")
    .action(async (id: string, _options: object, self: Command) => {
      const context = contextOf(self);
      await withChanges(context, async ({ state, record }) => {
        await state.alerts.retry(id, { record });
        context.output.result({ id }, () => context.output.line(`${id} is in line again.`));
      });
    });
  command
    .command("test <target>")
    .description("Send a test alert to a configured target now.")
    .addHelpText("after", "\nExample:\n  adyton alerts test oncall")
    .action(async (name: string, _options: object, self: Command) => await tryTarget(contextOf(self), name));
  return command;
}

/** @throws CliError `usage` (no such target), `check-failed` (it did not take the alert) */
async function tryTarget({ config, output }: Context, name: string): Promise<void> {
  const { targets, timeoutMs } = config.respond.alerts;
  const target = targets.find((one) => one.name === name);
  if (target === undefined) {
    const names = targets.map((one) => one.name).join(", ") || "none";
    throw new CliError("usage", `expected a configured target (${names}), got ${JSON.stringify(name)}`);
  }
  const { send } = await import("../respond/alerts/send.ts");
  const { reasonOf } = await import("../respond/alerts/courier.ts");
  const nowMs = Date.now();
  const secret = target.secret === null ? null : await readSecret(target.secret);
  const alert: Alert = {
    id: `al_test${nowMs}`,
    ...{ target: name, event: "test", subject: "test", attempts: 0 },
    ...{ createdMs: nowMs, nextMs: nowMs, endedMs: null, error: null },
    status: "pending",
    body: { text: "a test of Adyton's alerts", severity: "low" },
  };
  try {
    await send(target, alert, { timeoutMs, secret, nowMs });
  } catch (cause) {
    throw new CliError("check-failed", `${name} did not take the alert: ${reasonOf(cause)}`, { cause });
  }
  output.result({ target: name }, () => output.line(`${name} took the alert.`));
}
