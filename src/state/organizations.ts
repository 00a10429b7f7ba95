// Organisations: what accounts belong to, what budgets are shared by, and whose keys sign the ids of end users.
import type { Selectable } from "kysely";
import { z } from "zod";
import type { OrganizationFacts } from "../core/identity.ts";
import type { Recorded } from "./accounts.ts";
import { StateError } from "./errors.ts";
import { fact, name, parse } from "./facts.ts";
import { addHistory, changesBetween } from "./identity-history.ts";
import type { OrganizationsTable } from "./identity-tables.ts";
import { containing, type Page, type PageQuery, pageOf } from "./paging.ts";
import { StatePart } from "./part.ts";

export interface Organization extends OrganizationFacts {
  readonly recordedMs: number;
  readonly updatedMs: number;
}

export interface OrganizationQuery extends PageQuery {
  /** Part of the name; upper and lower case are alike. */
  readonly text?: string | undefined;
  readonly direction?: "asc" | "desc" | undefined;
}

const FACTS = ["plan", "country", "emailDomain", "contact"] as const;
const organizationFacts: z.ZodType<OrganizationFacts> = z.object({
  organization: name,
  plan: fact,
  country: fact,
  emailDomain: fact,
  contact: fact,
});

export class Organizations extends StatePart {
  /** Makes the organisation where it is new; facts that are not told (undefined) stay, null forgets. @throws StateError `invalid-fact` */
  async put(
    change: Pick<OrganizationFacts, "organization"> & {
      readonly [Key in (typeof FACTS)[number]]?: string | null | undefined;
    },
    { record, by = "system" }: Recorded = {},
  ): Promise<{ organization: Organization; isNew: boolean }> {
    return await this.db.transaction().execute(async (transaction) => {
      const row = await transaction
        .selectFrom("organizations")
        .selectAll()
        .where("organization", "=", change.organization)
        .executeTakeFirst();
      const before = row === undefined ? unknownOrganization(change.organization) : fromRow(row);
      const told = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
      const facts = parse(organizationFacts, { ...before, ...told }, "organisation");
      const detail = changesBetween<OrganizationFacts>(before, facts, FACTS);
      if (row !== undefined && detail === null) return { organization: fromRow(row), isNew: false };
      const now = this.now();
      const columns = {
        plan: facts.plan,
        country: facts.country,
        email_domain: facts.emailDomain,
        contact: facts.contact,
        updated_ms: now,
      };
      const { organization } = facts;
      await transaction
        .insertInto("organizations")
        .values({ ...columns, organization, recorded_ms: now })
        .onConflict((conflict) => conflict.column("organization").doUpdateSet(columns))
        .execute();
      const subject = { kind: "organization", name: organization } as const;
      await addHistory(transaction, subject, {
        atMs: now,
        by,
        act: "organization.recorded",
        detail: detail ?? {},
      });
      await record?.([{ act: "organization.recorded", account: null, detail: facts }]);
      const recordedMs = row === undefined ? now : Number(row.recorded_ms);
      return { organization: { ...facts, recordedMs, updatedMs: now }, isNew: row === undefined };
    });
  }

  async get(name: string): Promise<Organization | null> {
    const row = await this.db
      .selectFrom("organizations")
      .selectAll()
      .where("organization", "=", name)
      .executeTakeFirst();
    return row === undefined ? null : fromRow(row);
  }

  /** The organisation, or StateError `organization-unknown`. */
  async demand(name: string): Promise<Organization> {
    const organization = await this.get(name);
    if (organization === null) throw unknown(name);
    return organization;
  }

  /** In the order of names. */
  async list(query: OrganizationQuery = {}): Promise<Page<Organization>> {
    const { text, direction = "asc" } = query;
    const matching = this.db
      .selectFrom("organizations")
      .where((expression) =>
        text === undefined || text === "" ? expression.and([]) : containing("organization", text),
      );
    return await pageOf(matching, matching.selectAll().orderBy("organization", direction), query, fromRow);
  }

  /** How many accounts belong to each; organisations without one are absent. At most 1000 names. */
  async accountCounts(names: readonly string[]): Promise<Map<string, number>> {
    if (names.length === 0) return new Map();
    const rows = await this.db
      .selectFrom("accounts")
      .where("organization", "in", names.slice(0, 1000))
      .groupBy("organization")
      .select(["organization", (expression) => expression.fn.countAll().as("count")])
      .execute();
    return new Map(rows.map(({ organization, count }) => [organization ?? "", Number(count)]));
  }
}

export function unknown(name: string): StateError {
  return new StateError("organization-unknown", `expected a known organisation, got ${JSON.stringify(name)}`);
}

function unknownOrganization(organization: string): OrganizationFacts {
  return { organization, plan: null, country: null, emailDomain: null, contact: null };
}

function fromRow(row: Selectable<OrganizationsTable>): Organization {
  return {
    organization: row.organization,
    plan: row.plan,
    country: row.country,
    emailDomain: row.email_domain,
    contact: row.contact,
    recordedMs: Number(row.recorded_ms),
    updatedMs: Number(row.updated_ms),
  };
}
