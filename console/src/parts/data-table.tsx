// The one table of the console: rows that open by click or Enter, headers that sort, arrow keys that move.
import type { ReactNode } from "react";
import { Cell, Column, Row, Table, TableBody, TableHeader } from "react-aria-components/Table";
import type { Direction } from "../../../src/api/contract/common.ts";

export interface ColumnOf<Item> {
  readonly id: string;
  readonly title: string;
  readonly cell: (item: Item) => ReactNode;
  readonly sortable?: boolean;
  /** `number` aligns right; `wide` takes the space that is left. */
  readonly kind?: "number" | "wide";
}

export interface Sorting {
  readonly by: string;
  readonly direction: Direction;
  readonly change: (by: string, direction: Direction) => void;
}

export function DataTable<Item extends object>({
  label,
  columns,
  items,
  idOf,
  hrefOf,
  sorting,
  empty,
  selected,
}: {
  label: string;
  columns: readonly ColumnOf<Item>[];
  items: readonly Item[];
  idOf: (item: Item) => string;
  hrefOf?: (item: Item) => string;
  sorting?: Sorting;
  empty: ReactNode;
  /** Id of the row whose details are open. */
  selected?: string | undefined;
}): ReactNode {
  if (items.length === 0) return empty;
  const rowHeader = (columns.find(({ kind }) => kind === "wide") ?? columns[0])?.id;
  return (
    <div className="table-frame">
      <Table
        aria-label={label}
        className="table"
        {...(sorting === undefined
          ? {}
          : {
              sortDescriptor: {
                column: sorting.by,
                direction: sorting.direction === "asc" ? "ascending" : "descending",
              },
              onSortChange: ({ column, direction }) =>
                sorting.change(String(column), direction === "ascending" ? "asc" : "desc"),
            })}
      >
        <TableHeader>
          {columns.map((column) => (
            <Column
              key={column.id}
              id={column.id}
              isRowHeader={column.id === rowHeader}
              allowsSorting={column.sortable === true && sorting !== undefined}
              className={column.kind ?? "text"}
            >
              {({ sortDirection }) => (
                <>
                  {column.title}
                  {column.sortable === true && sorting !== undefined && (
                    <span className="sort" aria-hidden="true">
                      {sortDirection === undefined ? "" : sortDirection === "ascending" ? "▲" : "▼"}
                    </span>
                  )}
                </>
              )}
            </Column>
          ))}
        </TableHeader>
        <TableBody>
          {items.map((item) => (
            <Row
              key={idOf(item)}
              id={idOf(item)}
              {...(hrefOf === undefined ? {} : { href: hrefOf(item) })}
              className={idOf(item) === selected ? "row chosen" : "row"}
            >
              {columns.map((column) => (
                <Cell key={column.id} className={column.kind ?? "text"}>
                  {column.cell(item)}
                </Cell>
              ))}
            </Row>
          ))}
        </TableBody>
      </Table>
    </div>
  );
}
