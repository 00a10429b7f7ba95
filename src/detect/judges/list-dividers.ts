// Who divides one list with others: accounts with a wording in common that hardly ask for the same.
import { UnionFind } from "../union-find.ts";

/** What an account asked for under its wordings. */
export interface ListPart {
  /** Each once. */
  readonly ids: readonly string[];
  readonly wordings: readonly string[];
}

/**
 * Groups of parts, directly or through others, that share a wording and at most `maxOverlap` of the smaller part: one
 * worker does not pay for the same item twice, two users of one benchmark or exercise do. Who shares nothing is a group
 * alone. Pure.
 */
export function listDividers<Part extends ListPart>(parts: readonly Part[], maxOverlap: number): Part[][] {
  const union = new UnionFind(parts.length);
  const items = parts.map((part) => new Set(part.ids));
  const users = new Map<string, number[]>();
  parts.forEach((part, at) => {
    for (const wording of part.wordings) {
      const others = users.get(wording) ?? [];
      for (const other of others) {
        if (overlap(items[at], items[other]) <= maxOverlap) union.join(at, other);
      }
      users.set(wording, [...others, at]);
    }
  });
  return [...Map.groupBy(parts, (_, at) => union.find(at)).values()];
}

function overlap(a: ReadonlySet<string> = new Set(), b: ReadonlySet<string> = new Set()): number {
  const [small, large] = a.size < b.size ? [a, b] : [b, a];
  let common = 0;
  for (const id of small) if (large.has(id)) common += 1;
  return small.size === 0 ? 1 : common / small.size;
}
