// What was verified and declared, the same commands below `adyton accounts` and `adyton organizations`.
import { Argument, type Command, Option } from "commander";
import {
  DECLARED_USES,
  type DeclaredUse,
  type SubjectKind,
  VERIFICATION_KINDS,
  VERIFICATION_STATUSES,
  type VerificationKind,
  type VerificationStatus,
} from "../core/identity.ts";
import { contextOf } from "./context.ts";
import { momentMs, wholeNumber } from "./duration.ts";
import { timeText } from "./output.ts";
import { withChanges, withState } from "./with-state.ts";

const EXPIRES = "a day such as 2027-01-31, or a time such as 90d; without it there is no end";

export function addStandingCommands(parent: Command, kind: SubjectKind): void {
  const noun = kind === "account" ? "an account" : "an organisation";
  const group = kind === "account" ? "accounts" : "organizations";
  verifyCommand(parent, kind, { noun, group });
  declareCommand(parent, kind, { noun, group });
  withdrawCommand(parent, kind, { noun, group });
  historyCommand(parent, kind, { noun, group });
}

interface Words {
  readonly noun: string;
  readonly group: string;
}

interface VerifyOptions {
  readonly status: VerificationStatus;
  readonly reference?: string;
  readonly expires?: string;
}

function verifyCommand(parent: Command, kind: SubjectKind, { noun, group }: Words): void {
  parent
    .command(`verify <${kind}>`)
    .description(`Record what was checked about ${noun}.`)
    .addArgument(new Argument("<what>", "what was checked").choices(VERIFICATION_KINDS))
    .addOption(
      new Option("--status <status>", "what came of it").choices(VERIFICATION_STATUSES).default("verified"),
    )
    .option("--reference <text>", "where the proof is kept, such as a ticket; never the proof itself")
    .option("--expires <when>", EXPIRES)
    .addHelpText(
      "after",
      `\nExample:\n  adyton ${group} verify acme payment --reference T-1042 --expires 365d`,
    )
    .action(async (name: string, what: VerificationKind, options: VerifyOptions, self: Command) => {
      const context = contextOf(self);
      const { status, reference, expires } = options;
      const expiresMs = expires === undefined ? null : momentMs(expires, Date.now());
      const told = { kind: what, status, reference, expiresMs };
      const recorded = await withChanges(context, ({ state, record, by }) =>
        state.standing.verify({ kind, name }, told, { record, by }),
      );
      context.output.result(recorded, () => context.output.line(`${name}: ${what} is ${status}.`));
    });
}

interface DeclareOptions {
  readonly statement?: string;
  readonly reference?: string;
  readonly until?: string;
}

function declareCommand(parent: Command, kind: SubjectKind, { noun, group }: Words): void {
  parent
    .command(`declare <${kind}>`)
    .description(`Record what ${noun} is used for. synthetic-data needs --reference: the agreement.`)
    .addArgument(new Argument("<use>", "the declared use").choices(DECLARED_USES))
    .option("--statement <text>", "in the customer's words")
    .option("--reference <text>", "of the agreement")
    .option("--until <when>", EXPIRES)
    .addHelpText(
      "after",
      `\nExample:\n  adyton ${group} declare acme synthetic-data --reference 'contract 7' --until 2027-12-31`,
    )
    .action(async (name: string, use: DeclaredUse, options: DeclareOptions, self: Command) => {
      const context = contextOf(self);
      const { statement, reference, until } = options;
      const untilMs = until === undefined ? null : momentMs(until, Date.now());
      const told = { use, statement, reference, untilMs };
      const recorded = await withChanges(context, ({ state, record, by }) =>
        state.standing.declare({ kind, name }, told, { record, by }),
      );
      context.output.result(recorded, () => context.output.line(`${name}: declared ${use}.`));
    });
}

function withdrawCommand(parent: Command, kind: SubjectKind, { noun, group }: Words): void {
  parent
    .command(`withdraw <${kind}>`)
    .description(`Record that a declared use of ${noun} holds no longer.`)
    .addArgument(new Argument("<use>", "the declared use").choices(DECLARED_USES))
    .addHelpText("after", `\nExample:\n  adyton ${group} withdraw acme evaluation`)
    .action(async (name: string, use: DeclaredUse, _options: object, self: Command) => {
      const context = contextOf(self);
      await withChanges(context, ({ state, record, by }) =>
        state.standing.withdraw({ kind, name }, use, { record, by }),
      );
      context.output.result({ [kind]: name, use }, () => context.output.line(`${name}: withdrew ${use}.`));
    });
}

function historyCommand(parent: Command, kind: SubjectKind, { noun, group }: Words): void {
  parent
    .command(`history <${kind}>`)
    .description(`Show what is verified and declared of ${noun}, and what changed when and by whom.`)
    .option("--limit <count>", "at most this many changes, up to 1000", wholeNumber(1, 1000), 100)
    .addHelpText("after", `\nExample:\n  adyton ${group} history acme`)
    .action(async (name: string, { limit }: { limit: number }, self: Command) => {
      const context = contextOf(self);
      const { output } = context;
      const subject = { kind, name };
      await withState(context, async ({ state: { standing } }) => {
        const verifications = await standing.verifications(subject);
        const declarations = await standing.declarations(subject);
        const history = await standing.history(subject, limit);
        output.result({ verifications, declarations, history }, () => {
          const standingNow = [
            ...verifications.map((each) => ({ ...each, what: each.kind, untilMs: each.expiresMs })),
            ...declarations.map((each) => ({
              ...each,
              what: each.use,
              status: each.withdrawnMs === null ? "declared" : "withdrawn",
            })),
          ];
          output.list(standingNow, "Nothing is verified or declared.", [
            { title: "what", cell: ({ what }) => what },
            { title: "status", cell: ({ status }) => status },
            { title: "since", cell: ({ atMs }) => timeText(atMs) },
            { title: "until", cell: ({ untilMs }) => timeText(untilMs) },
            { title: "reference", cell: ({ reference }) => reference, width: 40 },
          ]);
          output.line();
          output.table(history, [
            { title: "when", cell: ({ atMs }) => timeText(atMs) },
            { title: "by", cell: ({ by }) => by, width: 30 },
            { title: "change", cell: ({ act }) => act },
            { title: "detail", cell: ({ detail }) => detail, width: 80 },
          ]);
        });
      });
    });
}
