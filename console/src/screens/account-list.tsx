// Takes a list of accounts in, in two steps: what it would do, then doing it. And hands all accounts out.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useId, useState } from "react";
import {
  type ImportReport,
  importReport,
  LIST_FORMATS,
  type ListFormat,
  MAX_LIST_BYTES,
} from "../../../src/api/contract/account-list.ts";
import { sendFile } from "../api.ts";
import { exact } from "../format.ts";
import { type ColumnOf, DataTable } from "../parts/data-table.tsx";
import { Tiles } from "../parts/facts.tsx";
import { Untrusted } from "../parts/untrusted.tsx";

const NAMES: Readonly<Record<ListFormat, string>> = {
  csv: "CSV",
  jsonl: "JSON lines",
  litellm: "LiteLLM’s table of keys (CSV or JSON lines)",
};

interface Order {
  readonly file: File;
  readonly format: ListFormat;
  readonly keys: boolean;
}

export function AccountList(): ReactNode {
  return (
    <div className="panel">
      <details>
        <summary>Import or export accounts</summary>
        <ImportForm />
        <p className="pad buttons">
          <a className="button" href="/api/account-list?format=csv" download="accounts.csv">
            Export as CSV
          </a>
          <a className="button" href="/api/account-list?format=jsonl" download="accounts.jsonl">
            Export as JSON lines
          </a>
        </p>
      </details>
    </div>
  );
}

function ImportForm(): ReactNode {
  const queries = useQueryClient();
  const [file, setFile] = useState<File | null>(null);
  const [format, setFormat] = useState<ListFormat>("csv");
  const [keys, setKeys] = useState(false);
  const sending = useMutation({
    mutationFn: ({ order, dryRun }: { order: Order; dryRun: boolean }) => send(order, dryRun),
    onSuccess: ({ dryRun }) => {
      if (dryRun) return;
      for (const key of ["accounts", "organizations"]) void queries.invalidateQueries({ queryKey: [key] });
    },
  });
  // Another file or format is another list: what was said of the last one no longer counts.
  const choose = (change: () => void): void => {
    change();
    sending.reset();
  };
  const order = file === null ? null : { file, format, keys: keys && format === "litellm" };
  const isTooLarge = file !== null && file.size > MAX_LIST_BYTES;
  const start = (dryRun: boolean): void => {
    if (order !== null) sending.mutate({ order, dryRun });
  };
  const isChecked = sending.data?.dryRun === true;
  return (
    <form
      className="pad form action-form list-form"
      aria-label="Import accounts"
      onSubmit={(event: FormEvent) => {
        event.preventDefault();
        start(true);
      }}
    >
      <FormatChoice format={format} change={(next) => choose(() => setFormat(next))} />
      {format === "litellm" && (
        <label className="choices">
          <input
            type="checkbox"
            checked={keys}
            onChange={(event) => choose(() => setKeys(event.target.checked))}
          />{" "}
          Take over the hashed keys, so that clients go on with those they have
        </label>
      )}
      <label>
        <span>The list</span>
        <input
          type="file"
          accept=".csv,.jsonl,.ndjson,.json,text/csv"
          onChange={(event) => choose(() => setFile(event.target.files?.[0] ?? null))}
        />
      </label>
      {isTooLarge && (
        <p role="alert" className="bad-text">
          The list is larger than {MAX_LIST_BYTES / 1024 / 1024} MB. Take it in with{" "}
          <code>adyton accounts import</code>, or in parts.
        </p>
      )}
      {sending.isError && (
        <p role="alert" className="bad-text">
          {sending.error.message}
        </p>
      )}
      {sending.data !== undefined && <Report report={sending.data} withKeys={order?.keys === true} />}
      <span className="buttons">
        <button type="submit" className="button" disabled={order === null || isTooLarge || sending.isPending}>
          {sending.isPending ? "Reading the list…" : "Check the list"}
        </button>
        {isChecked && (
          <button type="button" className="button primary" onClick={() => start(false)}>
            Take it in
          </button>
        )}
      </span>
    </form>
  );
}

function FormatChoice({
  format,
  change,
}: {
  format: ListFormat;
  change: (format: ListFormat) => void;
}): ReactNode {
  const id = useId();
  return (
    <div>
      <label htmlFor={id} className="label">
        Format
      </label>
      <select
        id={id}
        value={format}
        onChange={(event) => change(LIST_FORMATS.find((each) => each === event.target.value) ?? "csv")}
      >
        {LIST_FORMATS.map((each) => (
          <option key={each} value={each}>
            {NAMES[each]}
          </option>
        ))}
      </select>
      {format === "csv" && (
        <p className="muted">
          A header line with <code>account</code> and any of <code>created</code>, <code>plan</code>,{" "}
          <code>payment</code>, <code>email_domain</code>, <code>country</code>, <code>organization</code>,{" "}
          <code>declared_use</code>. Empty cells change nothing.
        </p>
      )}
    </div>
  );
}

const COLUMNS: readonly ColumnOf<ImportReport["rejections"][number]>[] = [
  { id: "line", title: "Line", cell: ({ line }) => exact(line) },
  {
    id: "reason",
    title: "Why it was rejected",
    kind: "wide",
    cell: ({ reason }) => <Untrusted text={reason} />,
  },
];

function Report({ report, withKeys }: { report: ImportReport; withKeys: boolean }): ReactNode {
  const { dryRun, rows, created, changed, rejected, rejections, keysAdopted, keysKnown, keysBlocked } =
    report;
  const figures = [
    { name: "Rows", value: exact(rows) },
    { name: "New accounts", value: exact(created) },
    { name: "Changed", value: exact(changed) },
    ...(withKeys
      ? [
          { name: "Keys taken over", value: exact(keysAdopted) },
          { name: "Keys known", value: exact(keysKnown) },
          { name: "Blocked, left out", value: exact(keysBlocked) },
        ]
      : []),
    { name: "Rejected", value: exact(rejected) },
  ];
  return (
    <div role="status" className="list-report">
      <p>{dryRun ? "Nothing was changed yet. The list would do this:" : "The list was taken in."}</p>
      <Tiles items={figures} />
      {rejected > rejections.length && <p>These are the first {exact(rejections.length)}:</p>}
      {rejected > 0 && (
        <DataTable
          label="Rejected rows"
          columns={COLUMNS}
          items={rejections}
          idOf={({ line }) => String(line)}
          empty={null}
        />
      )}
    </div>
  );
}

async function send({ file, format, keys }: Order, dryRun: boolean): Promise<ImportReport> {
  const isLines = format === "jsonl" || (format === "litellm" && (await startsLikeJson(file)));
  return await sendFile(importReport, "/api/account-list", {
    query: { format, keys: String(keys), dryRun: String(dryRun) },
    file,
    type: isLines ? "application/x-ndjson" : "text/csv",
  });
}

async function startsLikeJson(file: File): Promise<boolean> {
  return (await file.slice(0, 1024).text()).trimStart().startsWith("{");
}
