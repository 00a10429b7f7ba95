// `adyton doctor`: what is missing on this machine, and what to do about it.
import { Command } from "commander";
import { contextOf } from "./context.ts";
import { type Check, PROBES } from "./doctor-checks.ts";
import { EXIT } from "./errors.ts";

const MARK: Readonly<Record<Check["status"], string>> = { ok: "ok  ", warn: "warn", fail: "FAIL" };

export function doctorCommand(): Command {
  return new Command("doctor")
    .description(
      "Check runtime, data folder, keys, disk, engine, ports and console. Exit code 4 when a check fails.",
    )
    .addHelpText(
      "after",
      "\nExamples:\n  adyton doctor\n  adyton doctor --json | jq '.checks[] | select(.status != \"ok\")'",
    )
    .action(async (_options: object, self: Command) => {
      const { config, folder, output } = contextOf(self);
      const checks: Check[] = [];
      for (const probe of PROBES) checks.push(await probe({ config, folder }));
      const healthy = checks.every(({ status }) => status !== "fail");
      output.result({ healthy, checks }, () => {
        for (const { name, status, detail, advice } of checks) {
          output.line(`${MARK[status]}  ${name.padEnd(18)}  ${detail}`);
          if (advice !== "") output.line(`      ${"".padEnd(18)}  → ${advice}`);
        }
      });
      if (!healthy) process.exitCode = EXIT.checkFailed;
    });
}
