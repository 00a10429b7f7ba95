// What customers say against measures, those that wait longest first, with the answer given in place.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { APPEAL_STATUSES, type Appeal, appeal as appealSchema } from "../../../src/api/contract/response.ts";
import { send } from "../api.ts";
import { StageBadge } from "../parts/badge.tsx";
import { Facts, Panel } from "../parts/facts.tsx";
import { Choice } from "../parts/filters.tsx";
import { Pager } from "../parts/pager.tsx";
import { Empty, Loaded } from "../parts/states.tsx";
import { Untrusted } from "../parts/untrusted.tsx";
import { When } from "../parts/when.tsx";
import { appealsQuery, sessionQuery } from "../queries.ts";

export function AppealsScreen(): ReactNode {
  const search = useSearch({ from: "/appeals" });
  const navigate = useNavigate({ from: "/appeals" });
  const query = useQuery(appealsQuery(search));
  return (
    <>
      <header className="title">
        <h1>Appeals</h1>
        <p className="muted">What customers say against measures. The customer reads the answer you give.</p>
      </header>
      <div className="filters">
        <Choice
          label="Status"
          value={search.status}
          options={APPEAL_STATUSES}
          change={(status) => void navigate({ search: { status } })}
        />
      </div>
      <Loaded query={query} what="the appeals">
        {({ items, total, page, limit }) =>
          items.length === 0 ? (
            <Empty title="No appeal">
              <p>Nobody has objected to a measure.</p>
            </Empty>
          ) : (
            <>
              {items.map((appeal) => (
                <AppealPanel key={appeal.id} appeal={appeal} />
              ))}
              <Pager
                page={page}
                limit={limit}
                total={total}
                go={(to) =>
                  void navigate({ search: (before) => ({ ...before, page: to === 1 ? undefined : to }) })
                }
              />
            </>
          )
        }
      </Loaded>
    </>
  );
}

function AppealPanel({ appeal }: { appeal: Appeal }): ReactNode {
  const { data: session } = useQuery(sessionQuery);
  const role = session?.user.role;
  return (
    <Panel
      title={`Appeal of ${appeal.account}`}
      aside={
        <span className="line">
          <StageBadge stage={appeal.status} /> <When at={appeal.filedAt} />
        </span>
      }
    >
      <p className="pad statement">
        <Untrusted text={appeal.statement} />
      </p>
      <Facts
        items={[
          [
            "Measure",
            <Link key="verdict" to="/verdicts/$id" params={{ id: appeal.verdict }} className="mono">
              {appeal.verdict}
            </Link>,
          ],
          [
            "Account",
            <Link key="account" to="/accounts/$account" params={{ account: appeal.account }}>
              <Untrusted text={appeal.account} />
            </Link>,
          ],
          ...(appeal.decidedAt === null
            ? []
            : ([
                ["Answered", <When key="at" at={appeal.decidedAt} />],
                ["By", appeal.decidedBy],
                ["Answer", appeal.reason],
              ] as const)),
        ]}
      />
      {appeal.status === "open" &&
        (role === "approver" || role === "admin" ? (
          <AnswerForm appeal={appeal} />
        ) : (
          <p className="muted pad">Answering takes the role of approver.</p>
        ))}
    </Panel>
  );
}

function AnswerForm({ appeal }: { appeal: Appeal }): ReactNode {
  const queries = useQueryClient();
  const [reason, setReason] = useState("");
  const [forAll, setForAll] = useState(false);
  const answer = useMutation({
    mutationFn: (outcome: "granted" | "refused") => {
      const path = `/api/appeals/${encodeURIComponent(appeal.id)}/decision`;
      return send(appealSchema, "POST", path, { outcome, reason, forAll: forAll && outcome === "granted" });
    },
    onSuccess: () => {
      void queries.invalidateQueries({ queryKey: ["appeals"] });
      void queries.invalidateQueries({ queryKey: ["verdict", appeal.verdict] });
    },
  });
  const isBlocked = answer.isPending || reason.trim() === "";
  return (
    <form className="pad form" onSubmit={(event) => event.preventDefault()}>
      <label>
        <span>Answer to the customer</span>
        <textarea
          rows={2}
          required
          maxLength={2000}
          value={reason}
          onChange={(event) => setReason(event.target.value)}
        />
      </label>
      <label className="check">
        <input type="checkbox" checked={forAll} onChange={(event) => setForAll(event.target.checked)} />
        <span>If granted: for everybody the measure names</span>
      </label>
      {answer.isError && (
        <p role="alert" className="bad-text">
          {answer.error.message}
        </p>
      )}
      <span className="buttons">
        <button
          type="button"
          className="button primary"
          disabled={isBlocked}
          onClick={() => answer.mutate("granted")}
        >
          Grant: free at once
        </button>
        <button
          type="button"
          className="button"
          disabled={isBlocked}
          onClick={() => answer.mutate("refused")}
        >
          Refuse
        </button>
      </span>
    </form>
  );
}
