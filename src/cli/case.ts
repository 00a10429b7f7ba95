// `adyton case`: investigations from the first note to the bundle that a stranger can check.
import { Command, Option } from "commander";
import type { AddOptions, ExportCommandOptions, OpenOptions } from "./case/options.ts";
import { contextOf } from "./context.ts";

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];

export function caseCommand(): Command {
  const command = new Command("case").description(
    "Investigations: open a case, fill it, keep its chain of custody, export the evidence.",
  );
  addOpening(command);
  addFilling(command);
  addLooking(command);
  addApprovals(command);
  addExport(command);
  return command;
}

function addOpening(command: Command): void {
  command
    .command("open")
    .description("Open a case. Its purpose and authority are recorded in the log and stay as they are.")
    .requiredOption("--title <text>", "what it is about, in a few words")
    .requiredOption("--purpose <text>", "why it is kept")
    .requiredOption("--authority <text>", "the legal basis or order")
    .requiredOption("--custodian <text>", "who answers for it")
    .option("--jurisdiction <text>", "whose law applies", "not stated")
    .addOption(
      new Option("--tlp <marking>", "Traffic Light Protocol 2.0")
        .choices(["CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED"])
        .default("AMBER"),
    )
    .addHelpText(
      "after",
      `
Example:
  adyton case open --title 'Fleet of March' --purpose 'enforce the terms of use' \\
    --authority 'terms of use, section 4; GDPR article 6(1)(f)' --custodian 'Ada, security'`,
    )
    .action(async (options: OpenOptions, self: Command) => {
      const { openCase } = await import("./case/run.ts");
      await openCase(contextOf(self), options);
    });
  for (const [name, what] of [
    ["close", "Close a case: nothing can be added until it is reopened. It can still be exported."],
    ["reopen", "Open a closed case again."],
  ] as const)
    command
      .command(`${name} <case>`)
      .description(what)
      .requiredOption("--reason <text>", "why, for the chain of custody")
      .addHelpText("after", `\nExample:\n  adyton case ${name} case_01kab --reason 'agreed with counsel'`)
      .action(async (id: string, { reason }: { reason: string }, self: Command) => {
        const { setCaseStatus } = await import("./case/run.ts");
        await setCaseStatus(contextOf(self), id, name === "close" ? "closed" : "reopened", reason);
      });
}

function addFilling(command: Command): void {
  command
    .command("add <case>")
    .description("Put findings, accounts or single exchanges into a case. A finding brings its accounts.")
    .option("--finding <id>", "a finding, as it stands now; may be repeated", collect, [])
    .option("--account <account>", "all exchanges of an account; may be repeated", collect, [])
    .option("--exchange <id>", "one exchange; may be repeated", collect, [])
    .option("--authority <text>", "if it is another than the case's")
    .addHelpText(
      "after",
      "\nExample:\n  adyton case add case_01kab --finding campaign-f5999a76baf5 --account acme",
    )
    .action(async (id: string, options: AddOptions, self: Command) => {
      const { addToCase } = await import("./case/run.ts");
      await addToCase(contextOf(self), id, options);
    });
  command
    .command("note <case> <text>")
    .description("Write a note, a hypothesis or a decision into a case.")
    .addOption(
      new Option("--kind <kind>", "what it is").choices(["note", "hypothesis", "decision"]).default("note"),
    )
    .option("--on <what>", "what it is about, if not the whole case")
    .addHelpText(
      "after",
      "\nExample:\n  adyton case note case_01kab 'One buyer behind all cards' --kind hypothesis",
    )
    .action(
      async (
        id: string,
        text: string,
        options: { kind: "note" | "hypothesis" | "decision"; on?: string },
        self: Command,
      ) => {
        const { noteInCase } = await import("./case/run.ts");
        await noteInCase(contextOf(self), id, text, options);
      },
    );
}

function addLooking(command: Command): void {
  command
    .command("list")
    .description("List cases, newest first.")
    .addHelpText("after", "\nExample:\n  adyton case list --json")
    .action(async (_options: object, self: Command) => {
      const { listCases } = await import("./case/run.ts");
      await listCases(contextOf(self));
    });
  command
    .command("show <case>")
    .description("Show a case: what it is about, and its chain of custody.")
    .addHelpText("after", "\nExample:\n  adyton case show case_01kab")
    .action(async (id: string, _options: object, self: Command) => {
      const { showCase } = await import("./case/run.ts");
      await showCase(contextOf(self), id);
    });
}

function addApprovals(command: Command): void {
  command
    .command("approvals")
    .description("List what waits for, or got, a second person's agreement (see evidence.twoPersonFor).")
    .option("--waiting", "only what waits")
    .addHelpText("after", "\nExample:\n  adyton case approvals --waiting")
    .action(async (options: { waiting?: boolean }, self: Command) => {
      const { listApprovals } = await import("./case/approvals.ts");
      await listApprovals(contextOf(self), options.waiting === true);
    });
  command
    .command("approve <request>")
    .description("Agree, as a second person, to what somebody else asked for; or refuse it.")
    .option("--refuse", "refuse instead")
    .option("--note <text>", "the reason, for the log", "")
    .addHelpText("after", "\nExample:\n  adyton case approve appr_01kab --note 'court order seen'")
    .action(async (id: string, options: { refuse?: boolean; note: string }, self: Command) => {
      const { decideApproval } = await import("./case/approvals.ts");
      await decideApproval(contextOf(self), id, options);
    });
}

function addExport(command: Command): void {
  command
    .command("export <case>")
    .description("Write the case's evidence as one bundle that anybody can verify offline.")
    .requiredOption("--out <file>", "the bundle to write, such as bundle.zip; never overwritten")
    .option("--since <day>", "only exchanges opened from this day or ISO time on")
    .option("--until <day>", "only exchanges opened before it")
    .option(
      "--withhold <field=reason>",
      "keep a field of exchanges back (request, response, headers, network, figures); may be repeated",
      collect,
      [],
    )
    .option("--records-only", "leave out report, timeline and graph: for programs that take the bundle in")
    .option("--recipient <age1…>", "encrypt to this age public key; may be repeated", collect, [])
    .option("--authority <text>", "under which the bundle is handed over, if another than the case's")
    .option("--reason <text>", "for whoever must agree, where a second person is needed")
    .addHelpText(
      "after",
      `
Only the case's accounts and exchanges are disclosed. The export is itself recorded in the log, with the digest of all
files. It may run beside a server, and for a minute or so on large cases.

Examples:
  adyton case export case_01kab --out bundle.zip
  adyton case export case_01kab --out bundle.zip --withhold 'network=not asked for by the order'
  adyton case export case_01kab --out bundle.zip.age --recipient age1…`,
    )
    .action(async (id: string, options: ExportCommandOptions, self: Command) => {
      const { runExport } = await import("./case/export.ts");
      await runExport(contextOf(self), id, options);
    });
}
