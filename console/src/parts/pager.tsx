// Moves through a long list by pages, with the figures a person needs to decide whether to filter instead.
import type { ReactNode } from "react";
import { PAGE_MAX } from "../../../src/api/contract/common.ts";
import { exact } from "../format.ts";

export function Pager({
  page,
  limit,
  total,
  go,
}: {
  page: number;
  limit: number;
  total: number;
  go: (page: number) => void;
}): ReactNode {
  if (total === 0) return null;
  const pages = Math.min(PAGE_MAX, Math.ceil(total / limit));
  const first = (page - 1) * limit + 1;
  return (
    <nav className="pager" aria-label="Pages">
      <span className="muted">
        {exact(first)}–{exact(Math.min(total, page * limit))} of {exact(total)}
      </span>
      {pages > 1 && (
        <span className="buttons">
          <button type="button" className="button" disabled={page <= 1} onClick={() => go(page - 1)}>
            Previous
          </button>
          <button type="button" className="button" disabled={page >= pages} onClick={() => go(page + 1)}>
            Next
          </button>
        </span>
      )}
    </nav>
  );
}
