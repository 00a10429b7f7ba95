// Where an analyst says what a finding is. The decision and its note are an act in the log.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import {
  FINDING_STATUSES,
  type Finding,
  type FindingStatus,
  finding as findingSchema,
} from "../../../src/api/contract/findings.ts";
import { send } from "../api.ts";
import { Facts } from "../parts/facts.tsx";
import { When } from "../parts/when.tsx";
import { findingQuery, sessionQuery } from "../queries.ts";

export function Decision({ finding }: { finding: Finding }): ReactNode {
  const { data: session } = useQuery(sessionQuery);
  return (
    <>
      {finding.decidedAt !== null && (
        <Facts
          items={[
            ["Last change", <When key="at" at={finding.decidedAt} />],
            ["By", finding.decidedBy],
            ["Note", finding.note],
          ]}
        />
      )}
      {session?.user.role === "viewer" ? (
        <p className="muted pad">Deciding takes the role of analyst.</p>
      ) : (
        <DecisionForm key={`${finding.id} ${finding.decidedAt}`} finding={finding} />
      )}
    </>
  );
}

function DecisionForm({ finding }: { finding: Finding }): ReactNode {
  const queries = useQueryClient();
  const [status, setStatus] = useState<FindingStatus>(finding.status);
  const [note, setNote] = useState("");
  const change = useMutation({
    mutationFn: () =>
      send(findingSchema, "PATCH", `/api/findings/${encodeURIComponent(finding.id)}`, { status, note }),
    onSuccess: (changed) => {
      queries.setQueryData(findingQuery(finding.id).queryKey, changed);
      void queries.invalidateQueries({ queryKey: ["findings"] });
    },
  });
  return (
    <form
      className="pad form"
      onSubmit={(event) => {
        event.preventDefault();
        change.mutate();
      }}
    >
      <fieldset className="segments">
        <legend>Status</legend>
        {FINDING_STATUSES.map((option) => (
          <label key={option}>
            <input
              type="radio"
              name="status"
              value={option}
              checked={status === option}
              onChange={() => setStatus(option)}
            />
            <span>{option}</span>
          </label>
        ))}
      </fieldset>
      <label>
        <span>Note</span>
        <textarea rows={2} maxLength={2000} value={note} onChange={(event) => setNote(event.target.value)} />
      </label>
      {change.isError && (
        <p role="alert" className="bad-text">
          {change.error.message}
        </p>
      )}
      <button
        type="submit"
        className="button primary"
        disabled={change.isPending || status === finding.status}
      >
        {change.isPending ? "Recording…" : "Record the decision"}
      </button>
    </form>
  );
}
