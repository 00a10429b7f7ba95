// The exchanges in flight of one worker: an array whose holes are filled from its end.
//
// Not a Set: with a thousand short-lived members a second a Set rebuilds its table over and over, each old table points
// to the next, and V8's young collection then takes finished exchanges for living ones and copies them about.

/** A member knows its place, so that it leaves without a search. */
export interface Placed {
  /** -1: in no list. Only the list writes it. */
  slot: number;
}

export class InFlight<Member extends Placed> {
  readonly #members: Member[] = [];

  add(member: Member): void {
    member.slot = this.#members.length;
    this.#members.push(member);
  }

  /** Does nothing for one that is not in the list. */
  remove(member: Member): void {
    const { slot } = member;
    if (this.#members[slot] !== member) return;
    const last = this.#members.pop();
    if (last !== undefined && last !== member) {
      this.#members[slot] = last;
      last.slot = slot;
    }
    member.slot = -1;
  }

  /** The members of this moment, safe to walk while some leave. */
  all(): readonly Member[] {
    return [...this.#members];
  }
}
