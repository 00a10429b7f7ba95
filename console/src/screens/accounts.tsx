// Every principal that was ever seen or recorded, busiest, newest or latest first.
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { z } from "zod";
import type { AccountSummary } from "../../../src/api/contract/accounts.ts";
import { send } from "../api.ts";
import { evidence, exact } from "../format.ts";
import { ActionForm } from "../parts/action-form.tsx";
import { Badge } from "../parts/badge.tsx";
import type { ColumnOf } from "../parts/data-table.tsx";
import { Known } from "../parts/facts.tsx";
import { SearchBox } from "../parts/filters.tsx";
import { PagedTable } from "../parts/paged-table.tsx";
import { Untrusted } from "../parts/untrusted.tsx";
import { When } from "../parts/when.tsx";
import { accountsQuery } from "../queries.ts";
import { useMay } from "../session.ts";
import { AccountList } from "./account-list.tsx";

const COLUMNS: readonly ColumnOf<AccountSummary>[] = [
  {
    id: "account",
    title: "Account",
    kind: "wide",
    sortable: true,
    cell: ({ account }) => (
      <span className="strong">
        <Untrusted text={account} />
      </span>
    ),
  },
  { id: "organization", title: "Organization", cell: ({ organization }) => <Known text={organization} /> },
  { id: "plan", title: "Plan", cell: ({ plan }) => <Known text={plan} /> },
  { id: "country", title: "Country", cell: ({ country }) => <Known text={country} /> },
  {
    id: "findings",
    title: "Findings",
    cell: ({ openFindings }) =>
      openFindings === 0 ? <span className="muted">—</span> : <Badge tone="warn">{openFindings} open</Badge>,
  },
  {
    id: "exchanges",
    title: "Exchanges",
    kind: "number",
    sortable: true,
    cell: ({ exchanges }) => exact(exchanges),
  },
  {
    id: "unusual",
    title: "Unlike its kind",
    kind: "number",
    sortable: true,
    cell: ({ unusual }) =>
      unusual === null ? (
        <span className="muted">—</span>
      ) : (
        <span title={`${unusual.mostly}; kind: ${unusual.kind}`}>{`e ${evidence(unusual.eValue)}`}</span>
      ),
  },
  { id: "created", title: "Created", sortable: true, cell: ({ created }) => <When at={created} /> },
  { id: "last", title: "Last seen", sortable: true, cell: ({ lastAt }) => <When at={lastAt} /> },
];

export function AccountsScreen(): ReactNode {
  const search = useSearch({ from: "/accounts" });
  const navigate = useNavigate({ from: "/accounts" });
  const query = useQuery(accountsQuery(search));
  const mayChange = useMay("admin");
  const change = (part: Partial<typeof search>): void =>
    void navigate({ search: (before) => ({ ...before, page: undefined, ...part }) });
  return (
    <>
      <header className="title">
        <h1>Accounts</h1>
        <p className="muted">
          The authenticated principals. What a client says about itself is evidence, not identity. Sorted by
          how unlike its kind each one works, the first ones are worth a look; none is accused by it.
        </p>
      </header>
      <div className="filters">
        <SearchBox label="Search account or organization" value={search.q} change={(q) => change({ q })} />
      </div>
      <PagedTable
        label="Accounts"
        what="the accounts"
        query={query}
        columns={COLUMNS}
        idOf={({ account }) => account}
        hrefOf={({ account }) => `/accounts/${encodeURIComponent(account)}`}
        sorting={{
          by: search.sort ?? "last",
          direction: search.direction ?? "desc",
          change: (sort, direction) => change({ sort: sort as typeof search.sort, direction }),
        }}
        none={{
          title: "No accounts yet",
          hint: (
            <p>
              Make one with <code>adyton accounts add</code>, or import traffic with{" "}
              <code>adyton import exchanges</code>.
            </p>
          ),
        }}
        clear={search.q === undefined ? undefined : () => change({ q: undefined })}
        go={(page) => change({ page })}
      />
      {mayChange && <OneAccount />}
      {mayChange && <AccountList />}
    </>
  );
}

/** A new account, or facts of one that is known: what is left empty stays as it is. */
function OneAccount(): ReactNode {
  const queries = useQueryClient();
  return (
    <div className="panel">
      <ActionForm
        isFolded
        label="Record an account"
        fields={[
          { name: "account", label: "Account", kind: "text", required: true, maxLength: 200 },
          { name: "organization", label: "Organization", kind: "text", maxLength: 255 },
          { name: "plan", label: "Plan", kind: "text" },
          { name: "payment", label: "Reference of the means of payment", kind: "text" },
          { name: "country", label: "Country", kind: "text" },
        ]}
        submit="Record it"
        run={async (values) => {
          const names = ["organization", "plan", "payment", "country"];
          const facts = Object.fromEntries(names.map((name) => [name, values.text(name)]));
          const path = `/api/accounts/${encodeURIComponent(values.text("account") ?? "")}`;
          await send(z.null(), "PUT", path, facts);
          await queries.invalidateQueries({ queryKey: ["accounts"] });
        }}
      />
    </div>
  );
}
