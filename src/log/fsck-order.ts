// The part of fsck that follows the leaves: no sequence number missing or twice, every close with its open.
import type { Leaf } from "../core/leaf.ts";
import type { Complain, FsckReport } from "./fsck-report.ts";
import type { OrderState } from "./fsck-resume.ts";

interface Where {
  readonly file: string;
  readonly offset: number;
  readonly index: number;
}

export class OrderCheck {
  readonly #complain: Complain;
  readonly #writers: Map<string, { incarnation: number; next: number }> = new Map();
  /** Opens without a close, by leaf index. */
  readonly #open: Map<number, { exchange: string; account: string | undefined }> = new Map();
  readonly gaps: FsckReport["gaps"][number][] = [];

  constructor(complain: Complain, from: OrderState | null = null) {
    this.#complain = complain;
    for (const [writer, position] of from?.writers ?? []) this.#writers.set(writer, position);
    for (const [index, { exchange, account }] of from?.open ?? [])
      this.#open.set(index, { exchange, account: account ?? undefined });
    this.gaps.push(...(from?.gaps ?? []));
  }

  save(): OrderState {
    const open = [...this.#open].map(
      ([index, { exchange, account = null }]) => [index, { exchange, account }] as const,
    );
    return { writers: [...this.#writers], open, gaps: [...this.gaps] };
  }

  get openCount(): number {
    return this.#open.size;
  }

  leaf(leaf: Leaf, where: Where): void {
    if (leaf.kind !== "interrupted") this.#sequence(leaf, where);
    this.#pairing(leaf, where);
  }

  #sequence(leaf: Leaf, where: Where): void {
    const known = this.#writers.get(leaf.writer) ?? { incarnation: -1, next: 0 };
    const newer = leaf.incarnation > known.incarnation;
    const expected = newer ? 0 : known.next;
    const count = leaf.gap ?? 1;
    if (leaf.incarnation < known.incarnation || leaf.seq !== expected) {
      const message = `expected ${leaf.writer} to go on with ${expected}, got ${leaf.seq} (incarnation ${leaf.incarnation})`;
      this.#complain({ code: "sequence", ...where, message });
    }
    this.#writers.set(leaf.writer, { incarnation: leaf.incarnation, next: leaf.seq + count });
    if (leaf.gap === undefined) return;
    const { writer, incarnation, seq: from, act = "" } = leaf;
    this.gaps.push({ writer, incarnation, from, count, act, index: where.index });
  }

  #pairing(leaf: Leaf, where: Where): void {
    const { exchange, account } = leaf;
    if (leaf.kind === "open" && exchange !== undefined) this.#open.set(where.index, { exchange, account });
    if (leaf.open === undefined) return;
    const open = this.#open.get(leaf.open);
    this.#open.delete(leaf.open);
    const sameAccount = leaf.kind === "interrupted" || open?.account === account;
    if (open === undefined || open.exchange !== exchange || !sameAccount) {
      const message = `expected leaf ${leaf.open} to be the unanswered open of ${exchange}`;
      this.#complain({ code: "pairing", ...where, message });
    }
  }
}
