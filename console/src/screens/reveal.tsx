// Opens the content of one exchange. What is revealed lives in this component alone: not in the address, not in a cache.
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import {
  type Exchange,
  REASON_MAX,
  REASON_MIN,
  type Revealed,
  revealed,
} from "../../../src/api/contract/exchanges.ts";
import { send } from "../api.ts";
import { Facts, Panel } from "../parts/facts.tsx";
import { ViewTabs } from "../parts/tabs.tsx";
import { Untrusted, UntrustedBlock } from "../parts/untrusted.tsx";
import { When } from "../parts/when.tsx";
import { sessionQuery } from "../queries.ts";

export function Reveal({ exchange }: { exchange: Exchange }): ReactNode {
  const { data: session } = useQuery(sessionQuery);
  const reveal = useMutation({
    mutationFn: (reason: string) =>
      send(revealed, "POST", `/api/exchanges/${encodeURIComponent(exchange.id)}/reveal`, { reason }),
    gcTime: 0,
  });
  if (reveal.data !== undefined) return <Content content={reveal.data} />;
  return (
    <Panel title="Content">
      <div className="pad">
        <Closed exchange={exchange} role={session?.user.role ?? "viewer"}>
          <ReasonForm busy={reveal.isPending} submit={(reason) => reveal.mutate(reason)} />
        </Closed>
        {reveal.isError && (
          <p role="alert" className="bad-text">
            {reveal.error.message}
          </p>
        )}
      </div>
    </Panel>
  );
}

function Closed({
  exchange,
  role,
  children,
}: {
  exchange: Exchange;
  role: string;
  children: ReactNode;
}): ReactNode {
  if (exchange.erased)
    return <p className="muted">The content was erased: its key is destroyed. Only proofs remain.</p>;
  if (exchange.openIndex === null) {
    return (
      <p className="muted">The records are not sealed yet. This takes a second; open the exchange again.</p>
    );
  }
  if (role === "viewer") return <p className="muted">Looking at content takes the role of analyst.</p>;
  return children;
}

function ReasonForm({ busy, submit }: { busy: boolean; submit: (reason: string) => void }): ReactNode {
  const [reason, setReason] = useState("");
  return (
    <form
      className="form"
      onSubmit={(event) => {
        event.preventDefault();
        submit(reason.trim());
      }}
    >
      <label>
        <span>Reason for looking at this customer&rsquo;s content</span>
        <textarea
          rows={2}
          required
          minLength={REASON_MIN}
          maxLength={REASON_MAX}
          value={reason}
          onChange={(event) => setReason(event.target.value)}
        />
      </label>
      <p className="muted small">
        Your name, this reason and the time are written to the log before anything is shown. At least{" "}
        {REASON_MIN} characters.
      </p>
      <button type="submit" className="button primary" disabled={busy || reason.trim().length < REASON_MIN}>
        {busy ? "Recording…" : "Record and reveal"}
      </button>
    </form>
  );
}

type Part = "conversation" | "request" | "answer" | "headers";

function Content({ content }: { content: Revealed }): ReactNode {
  const [part, setPart] = useState<Part>("conversation");
  return (
    <>
      <p className="notice good" role="status">
        This look was recorded (<When at={content.act.at} />
        ):{" "}
        <Link to="/ledger" search={{ kind: "act", act: content.act.name }}>
          find it in the ledger
        </Link>
        .
      </p>
      <ViewTabs
        label="Content"
        selected={part}
        select={setPart}
        tabs={[
          { id: "conversation", title: "Conversation", content: <Conversation content={content} /> },
          {
            id: "request",
            title: "Request body",
            content: <Raw body={content.request} label="Request body" />,
          },
          {
            id: "answer",
            title: "Answer body",
            content: <Raw body={content.response} label="Answer body" />,
          },
          {
            id: "headers",
            title: "Origin and headers",
            content: <Headers content={content} />,
          },
        ]}
      />
    </>
  );
}

function Headers({ content: { headers, origin } }: { content: Revealed }): ReactNode {
  const told = (text: string | null): ReactNode => (text === null ? null : <Untrusted text={text} />);
  return (
    <>
      <Facts
        items={[
          ["Address", told(origin.ip)],
          ["TLS fingerprint", told(origin.ja4)],
          ["Key", told(origin.key)],
        ]}
      />
      <dl className="facts">
        {headers.map(([name, value], index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: headers may repeat; their order is evidence and never changes.
          <div key={index}>
            <dt>
              <Untrusted text={name} />
            </dt>
            <dd>
              <Untrusted text={value} />
            </dd>
          </div>
        ))}
      </dl>
    </>
  );
}

function Conversation({ content: { messages, answer } }: { content: Revealed }): ReactNode {
  return (
    <div className="conversation">
      {messages.map(({ role, text }, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: messages have no identity but their place, and never move.
        <article key={index}>
          <h3>
            <Untrusted text={role} />
          </h3>
          <UntrustedBlock text={text} label={`Message ${index + 1}`} />
        </article>
      ))}
      {answer !== null && (
        <article className="answer">
          <h3>
            answer
            {answer.finishReason !== null && (
              <span className="muted">
                {" "}
                · finish: <Untrusted text={answer.finishReason} />
              </span>
            )}
          </h3>
          <UntrustedBlock text={answer.text} label="Answer" />
          {answer.toolCalls !== null && <UntrustedBlock text={answer.toolCalls} label="Tool calls" />}
        </article>
      )}
    </div>
  );
}

function Raw({ body, label }: { body: Revealed["response"]; label: string }): ReactNode {
  if (body === null) return <p className="muted">There is none: no answer was recorded.</p>;
  return (
    <>
      <p className="muted small">
        {body.bytes.toLocaleString("en")} bytes{body.truncated && ", only the beginning is shown"}
      </p>
      <UntrustedBlock text={body.text} label={label} />
    </>
  );
}
