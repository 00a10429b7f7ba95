// `adyton policy`: check, show and try out which findings lead to which measure.
import { Command } from "commander";
import { stringify } from "yaml";
import { loadPolicy, type Policy, policyHash } from "../respond/policy.ts";
import { type Context, contextOf } from "./context.ts";
import { tryPolicy } from "./policy/trial.ts";

export function policyCommand(): Command {
  const command = new Command("policy").description("Check, show and try out the response policy.");
  command
    .command("check [file]")
    .description("Check a policy file, or the configured one. Exit code 1 says what is wrong with it.")
    .addHelpText("after", "\nExample:\n  adyton policy check policy.yaml")
    .action(async (file: string | undefined, _options: object, self: Command) => {
      const context = contextOf(self);
      const policy = await policyOf(context, file);
      const answer = { policy: policyHash(policy), rules: policy.rules.length };
      context.output.result(answer, () =>
        context.output.line(
          `The policy is right: ${answer.rules} rules, version ${answer.policy.slice(0, 12)}.`,
        ),
      );
    });
  command
    .command("show")
    .description("Print the policy in force, with every default filled in: a file to start from.")
    .addHelpText("after", "\nExample:\n  adyton policy show > policy.yaml")
    .action(async (_options: object, self: Command) => {
      const context = contextOf(self);
      const policy = await policyOf(context, undefined);
      context.output.result({ policy, hash: policyHash(policy), mode: context.config.respond.mode }, () => {
        context.output.line(`# Version ${policyHash(policy)}, mode ${context.config.respond.mode}`);
        for (const line of stringify(policy).trimEnd().split("\n")) context.output.line(line);
      });
    });
  command
    .command("test [file]")
    .description("Replay the findings kept so far through a policy: what would have happened to whom.")
    .option("--findings <file>", "replay a file of findings instead (as `adyton replay` writes it)")
    .addHelpText(
      "after",
      `
Nothing is proposed or changed. Exempt accounts are left out. What was served (exchangesAtLeast, tokensAtLeast) is
counted in the store as it is now; where a running server holds it, or with a file, rules that ask for it don't hold.

Examples:
  adyton policy test
  adyton policy test stricter.yaml --json`,
    )
    .action(async (file: string | undefined, options: { findings?: string }, self: Command) => {
      const context = contextOf(self);
      await tryPolicy(context, await policyOf(context, file), options.findings);
    });
  return command;
}

async function policyOf(context: Context, file: string | undefined): Promise<Policy> {
  return await loadPolicy(file ?? context.config.respond.policy);
}
