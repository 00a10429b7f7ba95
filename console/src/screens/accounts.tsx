// Every principal that was ever seen or recorded, busiest, newest or latest first.
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { AccountSummary } from "../../../src/api/contract/accounts.ts";
import { exact } from "../format.ts";
import { Badge } from "../parts/badge.tsx";
import { type ColumnOf, DataTable } from "../parts/data-table.tsx";
import { SearchBox } from "../parts/filters.tsx";
import { Pager } from "../parts/pager.tsx";
import { Empty, Loaded } from "../parts/states.tsx";
import { Untrusted } from "../parts/untrusted.tsx";
import { When } from "../parts/when.tsx";
import { accountsQuery } from "../queries.ts";

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
  { id: "created", title: "Created", sortable: true, cell: ({ created }) => <When at={created} /> },
  { id: "last", title: "Last seen", sortable: true, cell: ({ lastAt }) => <When at={lastAt} /> },
];

export function AccountsScreen(): ReactNode {
  const search = useSearch({ from: "/accounts" });
  const navigate = useNavigate({ from: "/accounts" });
  const query = useQuery(accountsQuery(search));
  const change = (part: Partial<typeof search>): void =>
    void navigate({ search: (before) => ({ ...before, page: undefined, ...part }) });
  return (
    <>
      <header className="title">
        <h1>Accounts</h1>
        <p className="muted">
          The authenticated principals. What a client says about itself is evidence, not identity.
        </p>
      </header>
      <div className="filters">
        <SearchBox label="Search account or organization" value={search.q} change={(q) => change({ q })} />
      </div>
      <Loaded query={query} what="the accounts">
        {({ items, total, page, limit }) => (
          <>
            <DataTable
              label="Accounts"
              columns={COLUMNS}
              items={items}
              idOf={({ account }) => account}
              hrefOf={({ account }) => `/accounts/${encodeURIComponent(account)}`}
              sorting={{
                by: search.sort ?? "last",
                direction: search.direction ?? "desc",
                change: (sort, direction) => change({ sort: sort as typeof search.sort, direction }),
              }}
              empty={
                search.q === undefined ? (
                  <Empty title="No accounts yet">
                    <p>
                      Make one with <code>adyton accounts add</code>, or import traffic with{" "}
                      <code>adyton import exchanges</code>.
                    </p>
                  </Empty>
                ) : (
                  <Empty title="No account matches">
                    <button type="button" className="button" onClick={() => change({ q: undefined })}>
                      Clear the search
                    </button>
                  </Empty>
                )
              }
            />
            <Pager
              page={page}
              limit={limit}
              total={total}
              go={(to) => change({ page: to === 1 ? undefined : to })}
            />
          </>
        )}
      </Loaded>
    </>
  );
}

function Known({ text }: { text: string | null }): ReactNode {
  return text === null ? <span className="muted">—</span> : <Untrusted text={text} />;
}
