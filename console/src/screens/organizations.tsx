// Organisations: what accounts belong to and budgets are shared by.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import type { ReactNode } from "react";
import {
  type OrganizationSummary,
  organization as organizationSchema,
} from "../../../src/api/contract/identities.ts";
import { send } from "../api.ts";
import { exact } from "../format.ts";
import { ActionForm } from "../parts/action-form.tsx";
import type { ColumnOf } from "../parts/data-table.tsx";
import { Known } from "../parts/facts.tsx";
import { SearchBox } from "../parts/filters.tsx";
import { PagedTable } from "../parts/paged-table.tsx";
import { Untrusted } from "../parts/untrusted.tsx";
import { When } from "../parts/when.tsx";
import { organizationsQuery } from "../queries.ts";
import { useMay } from "../session.ts";

const COLUMNS: readonly ColumnOf<OrganizationSummary>[] = [
  {
    id: "organization",
    title: "Organization",
    kind: "wide",
    sortable: true,
    cell: ({ organization }) => (
      <span className="strong">
        <Untrusted text={organization} />
      </span>
    ),
  },
  { id: "accounts", title: "Accounts", kind: "number", cell: ({ accounts }) => exact(accounts) },
  { id: "plan", title: "Plan", cell: ({ plan }) => <Known text={plan} /> },
  { id: "country", title: "Country", cell: ({ country }) => <Known text={country} /> },
  { id: "contact", title: "Contact", cell: ({ contact }) => <Known text={contact} /> },
  { id: "changed", title: "Changed", cell: ({ updatedAt }) => <When at={updatedAt} /> },
];

export function OrganizationsScreen(): ReactNode {
  const search = useSearch({ from: "/organizations" });
  const navigate = useNavigate({ from: "/organizations" });
  const query = useQuery(organizationsQuery(search));
  const mayChange = useMay("admin");
  const change = (part: Partial<typeof search>): void =>
    void navigate({ search: (before) => ({ ...before, page: undefined, ...part }) });
  return (
    <>
      <header className="title">
        <h1>Organizations</h1>
        <p className="muted">
          Who stands behind accounts: plans, what was verified, what was declared, and the keys that sign
          their users' ids.
        </p>
      </header>
      <div className="filters">
        <SearchBox label="Search organization" value={search.q} change={(q) => change({ q })} />
      </div>
      <PagedTable
        label="Organizations"
        what="the organizations"
        query={query}
        columns={COLUMNS}
        idOf={({ organization }) => organization}
        hrefOf={({ organization }) => `/organizations/${encodeURIComponent(organization)}`}
        sorting={{
          by: "organization",
          direction: search.direction ?? "asc",
          change: (_by, direction) => change({ direction }),
        }}
        none={{
          title: "No organizations yet",
          hint: (
            <p>
              Record one with <code>adyton organizations set</code>; importing accounts records theirs.
            </p>
          ),
        }}
        clear={search.q === undefined ? undefined : () => change({ q: undefined })}
        go={(page) => change({ page })}
      />
      {mayChange && <NewOrganization />}
    </>
  );
}

function NewOrganization(): ReactNode {
  const queries = useQueryClient();
  return (
    <div className="panel">
      <ActionForm
        isFolded
        label="Record an organization"
        fields={[
          { name: "organization", label: "Name", kind: "text", required: true, maxLength: 255 },
          { name: "plan", label: "Plan", kind: "text" },
          { name: "country", label: "Country", kind: "text" },
          { name: "contact", label: "Whom to reach", kind: "text" },
        ]}
        submit="Record it"
        run={async (values) => {
          const [plan, country, contact] = ["plan", "country", "contact"].map((name) => values.text(name));
          const path = `/api/organizations/${encodeURIComponent(values.text("organization") ?? "")}`;
          await send(organizationSchema, "PUT", path, { plan, country, contact });
          await queries.invalidateQueries({ queryKey: ["organizations"] });
        }}
      />
    </div>
  );
}
