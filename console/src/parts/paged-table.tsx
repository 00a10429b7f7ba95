// A list of pages as every screen shows it: loading, failed, empty, filtered away, or a table with its pager.
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { Page } from "../../../src/api/contract/common.ts";
import { type ColumnOf, DataTable, type Sorting } from "./data-table.tsx";
import { Pager } from "./pager.tsx";
import { Empty, Loaded } from "./states.tsx";

export function PagedTable<Item extends object>({
  label,
  what,
  query,
  columns,
  idOf,
  hrefOf,
  sorting,
  selected,
  none,
  clear,
  go,
}: {
  label: string;
  /** As in “could not load the accounts”. */
  what: string;
  query: UseQueryResult<Page<Item>>;
  columns: readonly ColumnOf<Item>[];
  idOf: (item: Item) => string;
  hrefOf?: (item: Item) => string;
  sorting?: Sorting;
  selected?: string | undefined;
  /** What to say where there is nothing at all, and what to do about it. */
  none: { readonly title: string; readonly hint: ReactNode };
  /** Takes the filters away; absent where none is set. */
  clear?: (() => void) | undefined;
  /** The first page is told as undefined, so that the address stays plain. */
  go: (page: number | undefined) => void;
}): ReactNode {
  const empty =
    clear === undefined ? (
      <Empty title={none.title}>{none.hint}</Empty>
    ) : (
      <Empty title="Nothing matches these filters">
        <button type="button" className="button" onClick={clear}>
          Clear the filters
        </button>
      </Empty>
    );
  return (
    <Loaded query={query} what={what}>
      {({ items, total, page, limit }) => (
        <>
          <DataTable
            label={label}
            columns={columns}
            items={items}
            idOf={idOf}
            {...(hrefOf === undefined ? {} : { hrefOf })}
            {...(sorting === undefined ? {} : { sorting })}
            selected={selected}
            empty={empty}
          />
          <Pager page={page} limit={limit} total={total} go={(to) => go(to === 1 ? undefined : to)} />
        </>
      )}
    </Loaded>
  );
}
