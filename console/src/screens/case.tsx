// One case: what it is about, its chain of custody, what can be added, and its export.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { type FormEvent, type ReactNode, useState } from "react";
import { ADDITIONS, type Case, type CaseEntry, caseFile } from "../../../src/api/contract/cases.ts";
import { send } from "../api.ts";
import { Facts, Panel } from "../parts/facts.tsx";
import { Loaded } from "../parts/states.tsx";
import { Untrusted } from "../parts/untrusted.tsx";
import { When } from "../parts/when.tsx";
import { caseQuery } from "../queries.ts";
import { useMay } from "../session.ts";
import { EvidencePanel } from "./case-export.tsx";

type Addition = (typeof ADDITIONS)[number];

const NAMES: Readonly<Record<Addition, string>> = {
  "finding-added": "Finding (its id)",
  "account-added": "Account (its name)",
  "exchange-added": "Exchange (its id)",
  note: "Note",
  hypothesis: "Hypothesis",
  decision: "Decision",
  closed: "Close the case (the reason)",
  reopened: "Reopen the case (the reason)",
};
const NAMED: readonly Addition[] = ["finding-added", "account-added", "exchange-added"];

export function CaseScreen(): ReactNode {
  const { id } = useParams({ from: "/cases/$id" });
  const query = useQuery(caseQuery(id));
  const mayWork = useMay("analyst");
  return (
    <Loaded query={query} what="the case">
      {({ case: found, entries }) => (
        <>
          <header className="title">
            <h1>
              <Untrusted text={found.title} />
            </h1>
            <p className="muted mono">{found.id}</p>
          </header>
          <Panel title="What it is about" aside={found.status}>
            <Facts
              items={[
                ["Purpose", <Untrusted key="purpose" text={found.purpose} />],
                ["Authority", <Untrusted key="authority" text={found.authority} />],
                ["Custodian", <Untrusted key="custodian" text={found.custodian} />],
                ["Jurisdiction", <Untrusted key="jurisdiction" text={found.jurisdiction} />],
                ["Marking", `TLP:${found.tlp}`],
                ["Opened", <When key="opened" at={found.openedAt} />],
                ["Records in the log then", String(found.logSize)],
              ]}
            />
          </Panel>
          <Custody entries={entries} />
          {mayWork && <AddForm found={found} />}
          <EvidencePanel id={found.id} />
        </>
      )}
    </Loaded>
  );
}

function Custody({ entries }: { entries: readonly CaseEntry[] }): ReactNode {
  return (
    <Panel title="Chain of custody">
      <div className="pad">
        {entries.map((entry) => (
          <div key={entry.number} className="statement">
            <span className="line">
              <strong>{entry.number}</strong> <When at={entry.at} /> <Untrusted text={entry.by} />:{" "}
              {entry.what} <Untrusted text={entry.on} />
            </span>
            <span className="muted">
              {" "}
              <Untrusted text={entry.result} />
            </span>
            {entry.text !== null && entry.what !== "opened" && (
              <p>
                <Untrusted text={entry.text} />
              </p>
            )}
          </div>
        ))}
      </div>
    </Panel>
  );
}

function AddForm({ found }: { found: Case }): ReactNode {
  const queries = useQueryClient();
  const [what, setWhat] = useState<Addition>("note");
  const [value, setValue] = useState("");
  const offered = ADDITIONS.filter((one) => (found.status === "closed") === (one === "reopened"));
  const chosen = offered.includes(what) ? what : (offered[0] ?? "note");
  const add = useMutation({
    mutationFn: () => {
      const body = NAMED.includes(chosen) ? { what: chosen, on: value } : { what: chosen, text: value };
      return send(caseFile, "POST", `/api/cases/${encodeURIComponent(found.id)}/entries`, body);
    },
    onSuccess: (file) => {
      setValue("");
      queries.setQueryData(caseQuery(found.id).queryKey, file);
      void queries.invalidateQueries({ queryKey: ["cases"] });
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    add.mutate();
  };
  return (
    <Panel title="Add to the case">
      <form className="pad form" onSubmit={submit}>
        <label>
          <span>What</span>
          <select
            value={chosen}
            onChange={(event) => setWhat(offered.find((one) => one === event.target.value) ?? chosen)}
          >
            {offered.map((one) => (
              <option key={one} value={one}>
                {NAMES[one]}
              </option>
            ))}
          </select>
        </label>
        <label>
          <span>{NAMED.includes(chosen) ? "Which" : "Text"}</span>
          <textarea
            rows={NAMED.includes(chosen) ? 1 : 3}
            required
            maxLength={NAMED.includes(chosen) ? 512 : 20_000}
            value={value}
            onChange={(event) => setValue(event.target.value)}
          />
        </label>
        {add.isError && (
          <p role="alert" className="bad-text">
            {add.error.message}
          </p>
        )}
        <span className="buttons">
          <button type="submit" className="button primary" disabled={add.isPending || value.trim() === ""}>
            Add
          </button>
        </span>
      </form>
    </Panel>
  );
}
