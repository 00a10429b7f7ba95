// The state of the log: how long it is, who signed it, what was written last, and any record with its proof.
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import type { ReactNode } from "react";
import {
  type Ledger,
  type LedgerRecord,
  type LedgerRecords,
  RECORD_KINDS,
} from "../../../src/api/contract/ledger.ts";
import { exact } from "../format.ts";
import { Badge } from "../parts/badge.tsx";
import { type ColumnOf, DataTable } from "../parts/data-table.tsx";
import { Panel, Tiles } from "../parts/facts.tsx";
import { Choice, SearchBox } from "../parts/filters.tsx";
import { Empty, Loaded } from "../parts/states.tsx";
import { Untrusted } from "../parts/untrusted.tsx";
import { When } from "../parts/when.tsx";
import { ledgerQuery, recordsQuery } from "../queries.ts";
import { RecordDrawer } from "./record-drawer.tsx";

export function LedgerScreen(): ReactNode {
  const search = useSearch({ from: "/ledger" });
  const navigate = useNavigate({ from: "/ledger" });
  const ledger = useQuery(ledgerQuery);
  return (
    <>
      <header className="title">
        <h1>Ledger</h1>
        <p className="muted">
          The tamper-evident log of every exchange and every act. A change to the past would show here.
        </p>
      </header>
      <Loaded query={ledger} what="the ledger">
        {(state) => <State state={state} />}
      </Loaded>
      <h2 className="section">Records</h2>
      <Records />
      {search.record !== undefined && (
        <RecordDrawer
          index={search.record}
          close={() => void navigate({ search: (before) => ({ ...before, record: undefined }) })}
        />
      )}
    </>
  );
}

function State({ state }: { state: Ledger }): ReactNode {
  const behind = state.size - state.storePosition;
  return (
    <>
      <Tiles
        items={[
          { name: "Sealed records", value: exact(state.size) },
          {
            name: "Signature",
            value:
              state.checkpoint === null ? (
                "none yet"
              ) : state.signatureValid ? (
                <Badge tone="good">valid</Badge>
              ) : (
                <Badge tone="bad">invalid</Badge>
              ),
            hint: "checked when this was loaded",
          },
          {
            name: "Analysis",
            value: behind <= 0 ? "up to date" : `${exact(behind)} behind`,
            hint: behind <= 0 ? "the store has read every record" : "records the store has yet to read",
          },
          { name: "Open exchanges", value: exact(state.openExchanges), hint: "answers not sealed yet" },
          {
            name: "Writers",
            value: exact(state.writers.length),
            hint: state.writers.map(({ name }) => name).join(", "),
          },
          ...(state.witnesses.quorum === 0 ? [] : [witnessFigure(state)]),
          ...state.timestamps.map(({ authority, size, time }) => ({
            name: `Time by ${authority}`,
            value: `${exact(size)} records`,
            hint: time,
          })),
        ]}
      />
      {state.checkpoint !== null && (
        <Panel title="Signed checkpoint" aside={<a href="/log/checkpoint">Download</a>}>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a block that scrolls must be reachable by keyboard. */}
          <pre className="code" tabIndex={0}>
            {state.checkpoint}
          </pre>
        </Panel>
      )}
    </>
  );
}

function witnessFigure({ witnesses: { cosigned, quorum, quorumSize } }: Ledger) {
  const tone = cosigned.length >= quorum ? "good" : "warn";
  const hint = `${cosigned.join(", ") || "nobody yet"}; with quorum: ${exact(quorumSize)} records`;
  return { name: "Witnesses", value: <Badge tone={tone}>{`${cosigned.length} of ${quorum}`}</Badge>, hint };
}

const COLUMNS: readonly ColumnOf<LedgerRecord>[] = [
  { id: "index", title: "Record", cell: ({ index }) => <span className="mono">{exact(index)}</span> },
  { id: "time", title: "Time", cell: ({ time }) => <When at={time} /> },
  {
    id: "kind",
    title: "Kind",
    cell: ({ kind, act }) => (
      <Badge tone={kind === "act" ? "accent" : "quiet"}>{kind === "act" ? (act ?? "act") : kind}</Badge>
    ),
  },
  {
    id: "what",
    title: "What",
    kind: "wide",
    cell: ({ detail, exchange }) =>
      detail !== null ? (
        <span className="clip">
          <Untrusted text={detail} />
        </span>
      ) : (
        <span className="mono muted">{exchange === null ? "" : exchange}</span>
      ),
  },
  {
    id: "account",
    title: "Pseudonym",
    cell: ({ account }) => <span className="mono muted clip">{account ?? "—"}</span>,
  },
  {
    id: "writer",
    title: "Written by",
    cell: ({ writer, sequence }) => <span className="mono muted">{`${writer} #${sequence}`}</span>,
  },
];

function Records(): ReactNode {
  const search = useSearch({ from: "/ledger" });
  const navigate = useNavigate({ from: "/ledger" });
  const query = useQuery(recordsQuery({ before: search.before, kind: search.kind, act: search.act }));
  const change = (part: Partial<typeof search>): void =>
    void navigate({ search: (before) => ({ ...before, before: undefined, ...part }) });
  const hrefOf = ({ index }: LedgerRecord): string => {
    const parts = Object.entries({ ...search, record: index });
    const kept = parts.flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
    return `/ledger?${new URLSearchParams(kept)}`;
  };
  return (
    <>
      <div className="filters">
        <Choice label="Kind" value={search.kind} options={RECORD_KINDS} change={(kind) => change({ kind })} />
        <SearchBox
          label="Act, such as content.revealed"
          value={search.act}
          change={(act) => change({ act })}
        />
      </div>
      <Loaded query={query} what="the records">
        {(records) => (
          <>
            <DataTable
              label="Records"
              columns={COLUMNS}
              items={records.items}
              idOf={({ index }) => String(index)}
              hrefOf={hrefOf}
              selected={search.record === undefined ? undefined : String(search.record)}
              empty={<NoRecords records={records} />}
            />
            <Older records={records} start={search.before} go={(before) => change({ before })} />
          </>
        )}
      </Loaded>
    </>
  );
}

function NoRecords({ records }: { records: LedgerRecords }): ReactNode {
  return (
    <Empty title="No records here">
      <p>
        {records.nextBefore === null
          ? "The log has none that match. Records appear within a second of being written."
          : `None among the ${exact(records.scanned)} records looked at; the search can go on from there.`}
      </p>
    </Empty>
  );
}

function Older({
  records,
  start,
  go,
}: {
  records: LedgerRecords;
  start: number | undefined;
  go: (before: number | undefined) => void;
}): ReactNode {
  return (
    <nav className="pager" aria-label="Pages">
      <span className="muted">{exact(records.scanned)} records looked at</span>
      <span className="buttons">
        <button type="button" className="button" disabled={start === undefined} onClick={() => go(undefined)}>
          Newest
        </button>
        <button
          type="button"
          className="button"
          disabled={records.nextBefore === null}
          onClick={() => go(records.nextBefore ?? undefined)}
        >
          Older
        </button>
      </span>
    </nav>
  );
}
