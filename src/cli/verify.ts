// `adyton verify`: checks an evidence bundle offline. Needs no data folder, no server and no account.
import { Command } from "commander";
import type { VerifyCommandOptions } from "./case/options.ts";
import { globalOptions } from "./context.ts";
import { Output } from "./output.ts";

export function verifyCommand(): Command {
  return new Command("verify")
    .description(
      "Check an evidence bundle offline: every record, proof, signature, and the chain of custody.",
    )
    .argument("<bundle>", "the zip that adyton case export wrote")
    .option("--policy <file>", "whom you trust: logs and the quorum of witnesses (C2SP tlog-policy)")
    .option(
      "--timestamp-root <file>",
      "root certificate of a timestamping authority you trust, PEM or DER; may be repeated",
      (file: string, before: readonly string[]) => [...before, file],
      [] as readonly string[],
    )
    .addHelpText(
      "after",
      `
The verdict is one of three. verified (exit code 0): everything holds under your policy. consistent (5): everything
holds, but whose log it is rests on the bundle's own word; get the policy on another way and check again. rejected (4):
something does not hold; each reason is named. An encrypted bundle is decrypted first: age --decrypt -i key.txt.

Examples:
  adyton verify bundle.zip --policy policy.txt
  adyton verify bundle.zip --json | jq .reasons`,
    )
    .action(async (bundle: string, options: VerifyCommandOptions, self: Command) => {
      const { runVerify } = await import("./case/verify.ts");
      await runVerify(new Output({ json: globalOptions(self).json }), bundle, options);
    });
}
