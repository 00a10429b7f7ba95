// One account: what is known of it, what it did over time, and each of its exchanges as figures.
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Account } from "../../../src/api/contract/accounts.ts";
import { ENDINGS } from "../../../src/api/contract/exchanges.ts";
import { evidence, exact, figure } from "../format.ts";
import { ActivityChart } from "../parts/chart.tsx";
import { DataTable } from "../parts/data-table.tsx";
import { Facts, Panel, Tiles } from "../parts/facts.tsx";
import { Choice } from "../parts/filters.tsx";
import { PagedTable } from "../parts/paged-table.tsx";
import { Empty, Loaded } from "../parts/states.tsx";
import { ViewTabs } from "../parts/tabs.tsx";
import { Untrusted } from "../parts/untrusted.tsx";
import { When } from "../parts/when.tsx";
import { accountQuery, exchangesQuery, standingQuery } from "../queries.ts";
import { Keys, StatusSwitch } from "./account-access.tsx";
import { EXCHANGE_COLUMNS, ExchangeDrawer } from "./exchange-drawer.tsx";
import { FINDING_COLUMNS } from "./findings.tsx";
import { StandingView } from "./standing.tsx";

export function AccountScreen(): ReactNode {
  const { account: name } = useParams({ from: "/accounts/$account" });
  const { exchange } = useSearch({ from: "/accounts/$account" });
  const navigate = useNavigate({ from: "/accounts/$account" });
  const query = useQuery(accountQuery(name));
  return (
    <>
      <nav className="crumbs" aria-label="Breadcrumbs">
        <Link to="/accounts">Accounts</Link>
        <span aria-hidden="true">/</span>
        <Untrusted text={name} />
      </nav>
      <header className="title">
        <h1>
          <Untrusted text={name} />
        </h1>
      </header>
      <Loaded query={query} what="the account">
        {(account) => <AccountView account={account} />}
      </Loaded>
      {exchange !== undefined && (
        <ExchangeDrawer
          id={exchange}
          close={() => void navigate({ search: (before) => ({ ...before, exchange: undefined }) })}
        />
      )}
    </>
  );
}

function AccountView({ account }: { account: Account }): ReactNode {
  const search = useSearch({ from: "/accounts/$account" });
  const navigate = useNavigate({ from: "/accounts/$account" });
  const { figures, facts } = account;
  const fact = (text: string | null): ReactNode => (text === null ? null : <Untrusted text={text} />);
  return (
    <>
      <Tiles
        items={[
          {
            name: "Exchanges",
            value: figure(figures.exchanges),
            hint: `${figure(figures.failed)} without an answer`,
          },
          {
            name: "Tokens out",
            value: figure(figures.completionTokens),
            hint: `${figure(figures.promptTokens)} in`,
          },
          {
            name: "Distinct skeletons",
            value: figure(figures.skeletons),
            hint: "prompts with variables masked",
          },
          { name: "Models", value: figure(figures.models) },
          { name: "Addresses", value: figure(figures.networks), hint: "distinct ones it came from" },
        ]}
      />
      <div className="columns">
        <Panel title="Activity">
          <ActivityChart series={account.series} label="Exchanges" />
        </Panel>
        <Panel title="Facts">
          <Facts
            items={[
              ["Created", facts.created === null ? null : <When key="created" at={facts.created} />],
              [
                "Organization",
                facts.organization === null ? null : (
                  <Link
                    key="organization"
                    to="/organizations/$organization"
                    params={{ organization: facts.organization }}
                  >
                    <Untrusted text={facts.organization} />
                  </Link>
                ),
              ],
              ["Plan", fact(facts.plan)],
              ["Country", fact(facts.country)],
              ["Mail domain", fact(facts.emailDomain)],
              ["Payment", fact(facts.payment)],
              ["Declared use", fact(facts.declaredUse)],
              ["Kind", kindOf(account)],
              ["Unlike its kind", unlikeOf(account)],
              ["Status", account.status],
              ["First seen", figures.firstAt === null ? null : <When key="first" at={figures.firstAt} />],
              ["Last seen", figures.lastAt === null ? null : <When key="last" at={figures.lastAt} />],
            ]}
          />
          <StatusSwitch account={account} />
        </Panel>
      </div>
      <ViewTabs
        label="What belongs to this account"
        selected={search.tab ?? "exchanges"}
        select={(tab) => void navigate({ search: (before) => ({ ...before, tab }) })}
        tabs={[
          {
            id: "exchanges",
            title: "Exchanges",
            count: figures.exchanges,
            content: <Exchanges account={account.account} />,
          },
          {
            id: "findings",
            title: "Findings",
            count: account.findings.length,
            content: <Findings account={account} />,
          },
          { id: "keys", title: "Keys", count: account.keys.length, content: <Keys account={account} /> },
          { id: "standing", title: "Standing", content: <Standing account={account.account} /> },
        ]}
      />
    </>
  );
}

/** Learnt from how accounts talk to the API; nothing of it is text that a client sent. */
function kindOf({ unusual }: Account): ReactNode {
  return unusual === null ? null : `${exact(unusual.kindAccounts)} accounts: ${unusual.kind}`;
}

function unlikeOf({ unusual }: Account): ReactNode {
  if (unusual === null) return null;
  const { eValue, rank, mostly } = unusual;
  return `e ${evidence(eValue)}, p ${evidence(rank)} in its kind; mostly because it ${mostly}. No accusation.`;
}

function Exchanges({ account }: { account: string }): ReactNode {
  const search = useSearch({ from: "/accounts/$account" });
  const navigate = useNavigate({ from: "/accounts/$account" });
  const query = useQuery(exchangesQuery(account, { ending: search.ending, page: search.page }));
  const change = (part: Partial<typeof search>): void =>
    void navigate({ search: (before) => ({ ...before, page: undefined, ...part }) });
  const hrefOf = ({ id }: { id: string }): string => {
    const parts = Object.entries({ ending: search.ending, page: search.page, exchange: id });
    const kept = parts.flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
    return `/accounts/${encodeURIComponent(account)}?${new URLSearchParams(kept)}`;
  };
  return (
    <>
      <div className="filters">
        <Choice
          label="Answer"
          value={search.ending}
          options={ENDINGS}
          change={(ending) => change({ ending })}
        />
      </div>
      <PagedTable
        label="Exchanges"
        what="the exchanges"
        query={query}
        columns={EXCHANGE_COLUMNS}
        idOf={({ id }) => id}
        hrefOf={hrefOf}
        selected={search.exchange}
        none={{
          title: "No exchanges",
          hint: <p>Nothing of this account is in the store. It reads the log within seconds.</p>,
        }}
        clear={search.ending === undefined ? undefined : () => change({ ending: undefined })}
        go={(page) => change({ page })}
      />
    </>
  );
}

function Findings({ account }: { account: Account }): ReactNode {
  return (
    <DataTable
      label="Findings that name this account"
      columns={FINDING_COLUMNS}
      items={account.findings}
      idOf={({ id }) => id}
      hrefOf={({ id }) => `/findings/${encodeURIComponent(id)}`}
      empty={
        <Empty title="No finding names this account">
          <p>Nothing has been asserted about it.</p>
        </Empty>
      }
    />
  );
}

function Standing({ account }: { account: string }): ReactNode {
  const query = useQuery(standingQuery(account));
  return (
    <Loaded query={query} what="what is verified and declared">
      {(standing) => (
        <StandingView
          standing={standing}
          path={`/api/accounts/${encodeURIComponent(account)}`}
          invalidate={["account", account]}
        />
      )}
    </Loaded>
  );
}
