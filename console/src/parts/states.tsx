// What a view shows while it has nothing to show: each says what to do next.
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { ApiFailure } from "../api.ts";

/** The data once it is there; else a skeleton, or what went wrong with a way to try again. */
export function Loaded<T>({
  query,
  what,
  children,
}: {
  query: UseQueryResult<T>;
  what: string;
  children: (data: T) => ReactNode;
}): ReactNode {
  if (query.data !== undefined) return children(query.data);
  if (query.isError) return <Failed error={query.error} what={what} retry={() => void query.refetch()} />;
  return <Loading what={what} />;
}

function Loading({ what }: { what: string }): ReactNode {
  return (
    <output className="loading" aria-label={`Loading ${what}`}>
      <span />
      <span />
      <span />
    </output>
  );
}

export function Failed({
  error,
  what,
  retry,
}: {
  error: Error;
  what: string;
  retry?: () => void;
}): ReactNode {
  const failure = error instanceof ApiFailure ? error : null;
  return (
    <div className="notice bad" role="alert">
      <h2>Could not load {what}</h2>
      <p>{error.message}</p>
      {failure !== null && (
        <p className="muted small">
          {failure.code}
          {failure.requestId !== null && <> · request {failure.requestId}</>}
        </p>
      )}
      {retry !== undefined && failure?.status !== 404 && (
        <button type="button" className="button" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

export function Empty({ title, children }: { title: string; children: ReactNode }): ReactNode {
  return (
    <div className="notice">
      <h2>{title}</h2>
      <div className="muted">{children}</div>
    </div>
  );
}
