// The `adyton` command: puts the subcommands together, and turns every failure into one line and an exit code.
import { Command, CommanderError } from "commander";
import { ConfigError } from "../config/errors.ts";
import { version } from "../config/version.ts";
import { AdytonError } from "../core/errors.ts";
import { accountsCommand } from "./accounts.ts";
import { alertsCommand } from "./alerts.ts";
import { appealsCommand } from "./appeals.ts";
import { budgetsCommand } from "./budgets.ts";
import { caseCommand } from "./case.ts";
import { configCommand } from "./config.ts";
import { detectorsCommand } from "./detectors.ts";
import { doctorCommand } from "./doctor.ts";
import { eraseCommand } from "./erase.ts";
import { CliError, EXIT, EXIT_CODE_HELP } from "./errors.ts";
import { findingsCommand } from "./findings.ts";
import { holdCommand } from "./hold.ts";
import { huntCommand } from "./hunt.ts";
import { importCommand } from "./import.ts";
import { keysCommand } from "./keys.ts";
import { logCommand } from "./log.ts";
import { organizationsCommand } from "./organizations.ts";
import { policyCommand } from "./policy.ts";
import { replayCommand } from "./replay.ts";
import { serveCommand } from "./serve.ts";
import { signInCommand } from "./sign-in.ts";
import { storeCommand } from "./store.ts";
import { printable } from "./terminal.ts";
import { tokensCommand } from "./tokens.ts";
import { usersCommand } from "./users.ts";
import { verdictsCommand } from "./verdicts.ts";
import { verifyCommand } from "./verify.ts";
import { witnessCommand } from "./witness.ts";

/** Every subcommand, in the order of the help. Commands load heavy parts (databases, servers) in their actions only. */
const COMMANDS: readonly (() => Command)[] = [
  serveCommand,
  accountsCommand,
  keysCommand,
  organizationsCommand,
  huntCommand,
  findingsCommand,
  caseCommand,
  verifyCommand,
  policyCommand,
  verdictsCommand,
  appealsCommand,
  alertsCommand,
  budgetsCommand,
  detectorsCommand,
  signInCommand,
  usersCommand,
  tokensCommand,
  importCommand,
  replayCommand,
  logCommand,
  eraseCommand,
  holdCommand,
  witnessCommand,
  storeCommand,
  configCommand,
  doctorCommand,
];

/** The whole command tree; the documentation is generated from it too. */
export function program(): Command {
  const root = new Command("adyton")
    .description(
      "Guards a model API: a durable, provable query log, and campaigns of extraction found in it.",
    )
    .version(version())
    .option("--json", "print the result as JSON")
    .option("--data <folder>", "data folder (default: adyton-data, or as configured)")
    .option("--config <file>", "configuration file (default: $ADYTON_CONFIG, then ./adyton.yaml)")
    .addHelpText(
      "after",
      `
Examples:
  adyton serve                                  gateway, log, detection and console on this machine
  adyton keys create --account acme             a key for a customer
  adyton replay exchanges.jsonl --findings out.json
  adyton doctor                                 what is missing on this machine, and what to do

${EXIT_CODE_HELP}

Full documentation: docs/cli.md`,
    );
  for (const make of COMMANDS) root.addCommand(make());
  equip(root);
  return root;
}

/** Errors are thrown, not exits; every command's help names the global options, which may stand anywhere. */
function equip(command: Command): void {
  command
    .showHelpAfterError(false)
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ outputError: () => {} });
  for (const inner of command.commands) equip(inner);
}

/** Runs one command line (without node and script). Sets `process.exitCode`; never throws. */
export async function main(argv: string[]): Promise<void> {
  // `adyton … | head` closes the pipe early; that is no error.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    process.exit(error.code === "EPIPE" ? EXIT.ok : EXIT.error);
  });
  try {
    await program().parseAsync(argv, { from: "user" });
  } catch (error) {
    const { line, exitCode } = explain(error);
    if (line !== null) process.stderr.write(`${line}\n`);
    if (process.env["ADYTON_DEBUG"] === "1") console.error(error);
    process.exitCode = exitCode;
  }
}

/** What a person reads, and what a script gets. */
export function explain(error: unknown): { line: string | null; exitCode: number } {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return { line: null, exitCode: EXIT.ok };
    const reason = error.message.replace(/^error: /, "").replaceAll("\n", " ");
    // commander ends a call without a needed subcommand by printing the help; the reason would be "(outputHelp)".
    if (error.code === "commander.help") return { line: null, exitCode: EXIT.usage };
    return { line: `adyton: usage: ${printable(reason)} (see --help)`, exitCode: EXIT.usage };
  }
  if (error instanceof ConfigError) {
    const lines = error.message.split("\n").map((line) => `adyton: ${error.code}: ${printable(line)}`);
    return { line: lines.join("\n"), exitCode: EXIT.configuration };
  }
  if (error instanceof AdytonError) {
    return { line: `adyton: ${error.code}: ${printable(error.message)}`, exitCode: exitCodeOf(error) };
  }
  const message = error instanceof Error ? error.message : String(error);
  return {
    line: `adyton: unexpected: ${printable(message)} (ADYTON_DEBUG=1 shows where)`,
    exitCode: EXIT.error,
  };
}

function exitCodeOf(error: AdytonError): number {
  if (!(error instanceof CliError)) return EXIT.error;
  if (error.code === "usage") return EXIT.usage;
  return error.code === "check-failed" ? EXIT.checkFailed : EXIT.error;
}
