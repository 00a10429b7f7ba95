// Hands a case's evidence out as one file. The export is an entry of the custody before the first byte comes.
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, type ReactNode, useState } from "react";
import type { CaseExport } from "../../../src/api/contract/cases.ts";
import { download } from "../api.ts";
import { Panel } from "../parts/facts.tsx";
import { caseQuery } from "../queries.ts";
import { useMay } from "../session.ts";

/** Gives the browser a file to save. */
function save({ file, name }: { file: Blob; name: string }): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}

export function EvidencePanel({ id }: { id: string }): ReactNode {
  const mayExport = useMay("approver");
  return (
    <Panel title="Evidence">
      <p className="pad">
        A bundle holds every record of the case with its proof, and verifies offline with{" "}
        <code>adyton verify</code> or in a browser. On the machine of the log:{" "}
        <code>adyton case export {id} --out bundle.zip</code>.
      </p>
      {mayExport && <ExportForm id={id} />}
    </Panel>
  );
}

function ExportForm({ id }: { id: string }): ReactNode {
  const queries = useQueryClient();
  const [reason, setReason] = useState("");
  const [recipient, setRecipient] = useState("");
  const exporting = useMutation({
    mutationFn: () => {
      const recipients = recipient.trim() === "" ? {} : { recipients: [recipient.trim()] };
      const wanted: CaseExport = { reason, ...recipients };
      return download(`/api/cases/${encodeURIComponent(id)}/export`, wanted);
    },
    onSuccess: save,
    onSettled: () => {
      void queries.invalidateQueries({ queryKey: caseQuery(id).queryKey });
      void queries.invalidateQueries({ queryKey: ["approvals"] });
    },
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    exporting.mutate();
  };
  return (
    <form className="pad form" onSubmit={submit}>
      <label>
        <span>Under which authority, and to whom</span>
        <textarea
          rows={2}
          required
          maxLength={2000}
          value={reason}
          onChange={(event) => setReason(event.target.value)}
        />
      </label>
      <label>
        <span>Encrypt to an age public key (optional)</span>
        <input
          type="text"
          maxLength={200}
          placeholder="age1…"
          value={recipient}
          onChange={(event) => setRecipient(event.target.value)}
        />
      </label>
      {exporting.isError && (
        <p role="alert" className="bad-text">
          {exporting.error.message}
        </p>
      )}
      {exporting.isSuccess && <p role="status">The bundle is made; the custody has its entry.</p>}
      <span className="buttons">
        <button
          type="submit"
          className="button primary"
          disabled={exporting.isPending || reason.trim() === ""}
        >
          {exporting.isPending ? "Making the bundle…" : "Record and export"}
        </button>
      </span>
    </form>
  );
}
