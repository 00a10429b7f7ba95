// `adyton log`: checks the query log, shows its records' public part, and gives and checks proofs.
import { Command, Option } from "commander";
import { contextOf } from "./context.ts";
import type { TokenOptions } from "./log/keys.ts";
import type { MonitorCommandOptions } from "./log/monitor.ts";

export function logCommand(): Command {
  const command = new Command("log").description(
    "The tamper-evident query log: check it, look at it, prove from it.",
  );
  command
    .command("fsck")
    .description(
      "Derive every leaf, tile, root, signature, digest and commitment again. Exit code 4 on damage.",
    )
    .option("--no-content", "check leaves and tree only, not the encrypted content")
    .option("--resume", "go on where an interrupted check of the same kind stood")
    .addHelpText("after", "\nMay run beside a server.\n\nExample:\n  adyton log fsck --json | jq .problems")
    .action(async (options: { content: boolean; resume?: boolean }, self: Command) => {
      const { fsckLog } = await import("./log/run.ts");
      await fsckLog(contextOf(self), options);
    });
  command
    .command("show")
    .description("Show the newest checkpoint, or the leaves of one exchange or index.")
    .argument("[record]", "an exchange id or a leaf index")
    .addHelpText(
      "after",
      "\nContent is not shown.\n\nExamples:\n  adyton log show\n  adyton log show 1024 --json",
    )
    .action(async (record: string | undefined, _options: object, self: Command) => {
      const { showLog } = await import("./log/run.ts");
      await showLog(contextOf(self), record);
    });
  command
    .command("prove")
    .description("Print a C2SP tlog-proof that a record is in the log; of an exchange, its closing record.")
    .argument("<record>", "an exchange id or a leaf index")
    .option("--open", "prove the opening record of the exchange instead")
    .addHelpText("after", "\nExample:\n  adyton log prove ex_01kab > ex_01kab.tlog-proof")
    .action(async (record: string, options: { open?: boolean }, self: Command) => {
      const { proveRecord } = await import("./log/run.ts");
      await proveRecord(contextOf(self), record, { open: options.open === true });
    });
  addTrust(command);
  addMonitor(command);
  addKeys(command);
  return command;
}

/** What a verifier needs: a policy, and the check of a proof under it. */
function addTrust(command: Command): void {
  command
    .command("verify-proof")
    .description("Check a tlog-proof offline, against this installation's keys, a given one, or a policy.")
    .argument("<file>", "the proof, or - for standard input")
    .option("--key <vkey>", "the log's public key, as `adyton log show` prints it")
    .addOption(
      new Option("--policy <file>", "trusted logs and the quorum of witnesses (C2SP tlog-policy)").conflicts(
        "key",
      ),
    )
    .addHelpText(
      "after",
      `
Examples:
  adyton log verify-proof ex_01kab.tlog-proof --key 'adyton.local/…+…+…'
  adyton log verify-proof ex_01kab.tlog-proof --policy policy.txt`,
    )
    .action(async (file: string, options: { key?: string; policy?: string }, self: Command) => {
      const { verifyProofFile } = await import("./log/verify.ts");
      await verifyProofFile(contextOf(self), file, options);
    });
  command
    .command("policy")
    .description("Print what a verifier should trust: this log's keys, its witnesses and their quorum.")
    .addHelpText(
      "after",
      "\nHand it over on another way than the proofs.\n\nExample:\n  adyton log policy > policy.txt",
    )
    .action(async (_options: object, self: Command) => {
      const { printPolicy } = await import("./log/verify.ts");
      await printPolicy(contextOf(self));
    });
}

/** Watching somebody else's log. */
function addMonitor(command: Command): void {
  command
    .command("monitor")
    .description("Watch another log: each checkpoint must extend what was seen before. Exit code 4 if not.")
    .argument("<url>", "the log's prefix, such as https://adyton.example/log")
    .option("--key <vkey>", "the log's public key, obtained on another way")
    .addOption(
      new Option("--policy <file>", "trusted logs and the quorum of witnesses (C2SP tlog-policy)").conflicts(
        "key",
      ),
    )
    .option("--every <time>", "pause between two looks", "1m")
    .option("--once", "look once and end")
    .addHelpText(
      "after",
      `
What was seen last is kept in the data folder; of a contradiction both signed checkpoints are.

Example:
  adyton log monitor https://adyton.example/log --key 'adyton.example+…+…' --every 5m`,
    )
    .action(async (url: string, options: MonitorCommandOptions, self: Command) => {
      const { monitorLog } = await import("./log/monitor.ts");
      await monitorLog(contextOf(self), url, options);
    });
}

/** The keys that sign checkpoints. */
function addKeys(command: Command): void {
  command
    .command("rotate-keys")
    .description("Sign checkpoints with new keys. Old checkpoints stay valid; both keys are in the log.")
    .option("--prepare", "only make the new keys and announce them, so that others can be told first")
    .addHelpText(
      "after",
      "\nTaking over needs the server to be stopped.\n\nExamples:\n  adyton log rotate-keys --prepare\n  adyton log rotate-keys",
    )
    .action(async (options: { prepare?: boolean }, self: Command) => {
      const { rotateKeys } = await import("./log/keys.ts");
      await rotateKeys(contextOf(self), { prepare: options.prepare === true });
    });
  command
    .command("init-token")
    .description("Before the first start: keep the installation's keys in a PKCS#11 token.")
    .requiredOption("--module <path>", "the token's PKCS#11 library")
    .requiredOption("--label <label>", "the token's label")
    .option("--pin-file <path>", "file with the PIN (default: the environment variable ADYTON_TOKEN_PIN)")
    .addHelpText(
      "after",
      `
Needs pkcs11-tool of OpenSC. The Ed25519 key signs inside the token; the keys of content are locked by it, and are
opened at each start.

Example:
  adyton log init-token --module /usr/lib/softhsm/libsofthsm2.so --label adyton --pin-file /run/secrets/pin`,
    )
    .action(async (options: TokenOptions, self: Command) => {
      const { initToken } = await import("./log/keys.ts");
      await initToken(contextOf(self), options);
    });
}
