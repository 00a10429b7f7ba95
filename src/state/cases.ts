// Cases: what is investigated, why, and the chain of custody, each entry of which is an act in the log.
import type { Selectable, Transaction } from "kysely";
import { z } from "zod";
import { CASE_EVENTS, type CaseEvent, type CaseHeader, openingText } from "../core/case-acts.ts";
import { timeId } from "../core/ids.ts";
import type { Recorded } from "./accounts.ts";
import type { CaseEntriesTable, CasesTable } from "./case-tables.ts";
import { StateError } from "./errors.ts";
import { parse } from "./facts.ts";
import { StatePart } from "./part.ts";
import type { Tables } from "./schema.ts";

export type CaseStatus = "open" | "closed";

/** A case as it stands. */
export interface Case extends Omit<CaseHeader, "case"> {
  readonly id: string;
  readonly status: CaseStatus;
  readonly openedMs: number;
  readonly updatedMs: number;
  /** Records in the log when it was opened. */
  readonly logSize: number;
  /** The signed checkpoint of that moment. */
  readonly checkpoint: string | null;
  /** Entries of its chain of custody. */
  readonly entries: number;
}

export interface CaseEntry {
  readonly number: number;
  readonly atMs: number;
  readonly by: string;
  readonly what: CaseEvent;
  readonly on: string;
  readonly tool: string;
  readonly authority: string;
  readonly result: string;
  readonly text: string | null;
  readonly digest: string | null;
}

/** What whoever adds an entry says of it. */
export interface EntryDraft {
  readonly what: Exclude<CaseEvent, "opened">;
  readonly on: string;
  readonly result: string;
  /** Default: the case's own authority. */
  readonly authority?: string | undefined;
  readonly text?: string | undefined;
  readonly digest?: string | undefined;
  /** Of a finding: what detectors said at this moment, canonical JSON. */
  readonly snapshot?: string | undefined;
}

/** Who does it, and with what. */
export interface Doer {
  readonly by: string;
  readonly tool: string;
}

export const TLP = ["CLEAR", "GREEN", "AMBER", "AMBER+STRICT", "RED"] as const;
const RANDOM_BYTES = 10;
/** Most entries of one case: each is read when it is shown. */
const MAX_ENTRIES = 10_000;
const LISTED = 1000;

const line = (most: number): z.ZodString =>
  z
    .string()
    .trim()
    .min(1)
    .max(most)
    .regex(/^[^\p{Cc}]*$/u, "expected one line");
export interface CaseOpening {
  readonly title: string;
  readonly purpose: string;
  readonly authority: string;
  readonly custodian: string;
  readonly jurisdiction: string;
  readonly tlp: (typeof TLP)[number];
}

const opening: z.ZodType<CaseOpening> = z.object({
  title: line(200),
  purpose: line(2000),
  authority: line(500),
  custodian: line(200),
  jurisdiction: line(200),
  tlp: z.enum(TLP),
});
const draftShape: z.ZodType<EntryDraft> = z.object({
  what: z.enum(CASE_EVENTS).exclude(["opened"]),
  on: line(512),
  result: line(1000),
  authority: line(500).optional(),
  text: z
    .string()
    .min(1)
    .max(20_000)
    .refine((text) => text.isWellFormed())
    .optional(),
  digest: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
  snapshot: z
    .string()
    .max(64 * 1024 * 1024)
    .optional(),
});

export class Cases extends StatePart {
  /**
   * Opens a case. `log`: the log at this moment, so that everything later can be shown to have come after it.
   * @throws StateError `invalid-fact`
   */
  async open(
    facts: CaseOpening,
    { by, tool, log }: Doer & { readonly log: { readonly size: number; readonly checkpoint: string | null } },
    { record }: Recorded = {},
  ): Promise<Case> {
    const checked = parse(opening, facts, "case");
    const atMs = this.now();
    const id = timeId("case", atMs, this.random(RANDOM_BYTES));
    await this.db.transaction().execute(async (transaction) => {
      await transaction
        .insertInto("cases")
        .values({
          id,
          ...checked,
          status: "open",
          opened_ms: atMs,
          updated_ms: atMs,
          log_size: log.size,
          checkpoint: log.checkpoint,
          entries: 0,
        })
        .execute();
      const text = openingText({ case: id, ...checked });
      const first = { what: "opened" as const, on: id, result: "case opened", text };
      await this.#append(transaction, { id, authority: checked.authority, entries: 0 }, first, {
        by,
        tool,
        record,
      });
    });
    return await this.demand(id);
  }

  /** Adds one entry. @throws StateError `case-unknown`, `case-closed`, `invalid-fact` */
  async add(
    id: string,
    draft: EntryDraft,
    { by, tool }: Doer,
    { record }: Recorded = {},
  ): Promise<CaseEntry> {
    const checked = parse(draftShape, draft, "entry");
    return await this.db.transaction().execute(async (transaction) => {
      const row = await transaction.selectFrom("cases").selectAll().where("id", "=", id).executeTakeFirst();
      if (row === undefined) throw unknownCase(id);
      if (row.entries >= MAX_ENTRIES)
        throw new StateError("invalid-fact", `expected at most ${MAX_ENTRIES} entries in a case`);
      const isClosed = row.status === "closed";
      // Handing evidence over is no change of it: a closed case can still be exported.
      if (isClosed && checked.what !== "reopened" && checked.what !== "exported")
        throw new StateError("case-closed", `expected an open case, got ${id}, which is closed`);
      const entry = await this.#append(transaction, row, checked, { by, tool, record });
      if (checked.snapshot !== undefined)
        await transaction
          .insertInto("case_findings")
          .values({ case_id: id, number: entry.number, finding: checked.on, body: checked.snapshot })
          .execute();
      return entry;
    });
  }

  /** The number is taken, recorded in the log and kept in one transaction: no entry is without its act. */
  async #append(
    transaction: Transaction<Tables>,
    known: Pick<Selectable<CasesTable>, "id" | "authority" | "entries">,
    draft: Omit<EntryDraft, "what"> & { readonly what: CaseEvent },
    { by, tool, record }: Doer & { readonly record: Recorded["record"] | undefined },
  ): Promise<CaseEntry> {
    const { what, on, result, authority = known.authority, text, digest } = draft;
    const number = known.entries + 1;
    const atMs = this.now();
    const status = what === "closed" ? { status: "closed" } : what === "reopened" ? { status: "open" } : {};
    await transaction
      .updateTable("cases")
      .set({ entries: number, updated_ms: atMs, ...status })
      .where("id", "=", known.id)
      .where("entries", "=", known.entries)
      .execute();
    const row = {
      case_id: known.id,
      number,
      at_ms: atMs,
      actor: by,
      what,
      subject: on,
      tool,
      authority,
      result,
      text: text ?? null,
      digest: digest ?? null,
    };
    await transaction.insertInto("case_entries").values(row).execute();
    const detail = { case: known.id, number, what, on, tool, authority, result };
    const act = {
      ...detail,
      ...(text === undefined ? {} : { text }),
      ...(digest === undefined ? {} : { digest }),
    };
    await record?.([{ act: "case.entry", account: null, detail: act }]);
    return entryOf(row);
  }

  async get(id: string): Promise<Case | null> {
    const row = await this.db.selectFrom("cases").selectAll().where("id", "=", id).executeTakeFirst();
    return row === undefined ? null : caseOf(row);
  }

  /** The case, or StateError `case-unknown`. */
  async demand(id: string): Promise<Case> {
    const found = await this.get(id);
    if (found === null) throw unknownCase(id);
    return found;
  }

  /** Newest first, at most a thousand. */
  async list(): Promise<Case[]> {
    const rows = await this.db
      .selectFrom("cases")
      .selectAll()
      .orderBy("opened_ms", "desc")
      .orderBy("id")
      .limit(LISTED)
      .execute();
    return rows.map(caseOf);
  }

  /** The chain of custody, oldest first. */
  async entries(id: string): Promise<CaseEntry[]> {
    const rows = await this.db
      .selectFrom("case_entries")
      .selectAll()
      .where("case_id", "=", id)
      .orderBy("number")
      .execute();
    return rows.map(entryOf);
  }

  /** Findings of the case as they were when they were put into it, by entry number. */
  async findings(id: string): Promise<{ number: number; finding: string; body: string }[]> {
    const rows = await this.db
      .selectFrom("case_findings")
      .selectAll()
      .where("case_id", "=", id)
      .orderBy("number")
      .execute();
    return rows.map(({ number, finding, body }) => ({ number: Number(number), finding, body }));
  }
}

function unknownCase(id: string): StateError {
  return new StateError("case-unknown", `expected a case, got ${id}`);
}

function caseOf(row: Selectable<CasesTable>): Case {
  const { id, title, purpose, authority, custodian, jurisdiction, tlp, checkpoint } = row;
  return {
    ...{ id, title, purpose, authority, custodian, jurisdiction, tlp, checkpoint },
    status: row.status === "closed" ? "closed" : "open",
    openedMs: Number(row.opened_ms),
    updatedMs: Number(row.updated_ms),
    logSize: Number(row.log_size),
    entries: Number(row.entries),
  };
}

function entryOf(row: Selectable<CaseEntriesTable>): CaseEntry {
  const { actor: by, subject: on, tool, authority, result, text, digest } = row;
  const what = z.enum(CASE_EVENTS).parse(row.what);
  return {
    number: Number(row.number),
    atMs: Number(row.at_ms),
    by,
    what,
    on,
    tool,
    authority,
    result,
    text,
    digest,
  };
}
