// One exchange: its figures at once, its content only on demand and for a written reason.
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Exchange, ExchangeSummary } from "../../../src/api/contract/exchanges.ts";
import { duration, exact, figure } from "../format.ts";
import { EndingBadge } from "../parts/badge.tsx";
import type { ColumnOf } from "../parts/data-table.tsx";
import { Drawer } from "../parts/drawer.tsx";
import { Facts } from "../parts/facts.tsx";
import { Loaded } from "../parts/states.tsx";
import { Untrusted } from "../parts/untrusted.tsx";
import { When } from "../parts/when.tsx";
import { exchangeQuery } from "../queries.ts";
import { Reveal } from "./reveal.tsx";

export const EXCHANGE_COLUMNS: readonly ColumnOf<ExchangeSummary>[] = [
  { id: "time", title: "Opened", cell: ({ openedAt }) => <When at={openedAt} /> },
  { id: "model", title: "Model", kind: "wide", cell: ({ model }) => <Untrusted text={model} /> },
  { id: "endpoint", title: "Endpoint", cell: ({ endpoint }) => <Untrusted text={endpoint} /> },
  {
    id: "ending",
    title: "Answer",
    cell: ({ ending, status }) => <EndingBadge ending={ending} status={status} />,
  },
  { id: "prompt", title: "Tokens in", kind: "number", cell: ({ promptTokens }) => figure(promptTokens) },
  {
    id: "completion",
    title: "Tokens out",
    kind: "number",
    cell: ({ completionTokens }) => figure(completionTokens),
  },
];

export function ExchangeDrawer({ id, close }: { id: string; close: () => void }): ReactNode {
  const query = useQuery(exchangeQuery(id));
  return (
    <Drawer title="Exchange" close={close}>
      <Loaded query={query} what="the exchange">
        {(exchange) => (
          <>
            <Figures exchange={exchange} />
            <Reveal key={id} exchange={exchange} />
          </>
        )}
      </Loaded>
    </Drawer>
  );
}

function Figures({ exchange }: { exchange: Exchange }): ReactNode {
  const place = (index: number | null): ReactNode =>
    index === null ? (
      <span className="muted">not sealed yet</span>
    ) : (
      <Link to="/ledger" search={{ record: index }}>
        record {exact(index)}
      </Link>
    );
  return (
    <Facts
      items={[
        [
          "Exchange",
          <span key="id" className="mono">
            {exchange.id}
          </span>,
        ],
        [
          "Account",
          <Link key="account" to="/accounts/$account" params={{ account: exchange.account }}>
            <Untrusted text={exchange.account} />
          </Link>,
        ],
        ["Opened", <When key="opened" at={exchange.openedAt} />],
        ["Took", exchange.tookMs === null ? null : duration(exchange.tookMs)],
        ["Answer", <EndingBadge key="ending" ending={exchange.ending} status={exchange.status} />],
        ["Model", <Untrusted key="model" text={exchange.model} />],
        ["Endpoint", <Untrusted key="endpoint" text={exchange.endpoint} />],
        ["Tokens", `${exact(exchange.promptTokens)} in, ${exact(exchange.completionTokens)} out`],
        [
          "Network",
          [exchange.asn === null ? null : `AS${exchange.asn}`, exchange.country]
            .filter((part) => part !== null)
            .join(" · ") || null,
        ],
        [
          "In the log",
          <span key="log">
            {place(exchange.openIndex)} (request), {place(exchange.closeIndex)} (answer)
          </span>,
        ],
      ]}
    />
  );
}
