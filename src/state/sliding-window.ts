// Counts what was taken within a window that slides, exactly: no stretch of the window's length sees more than the limit.

/** What a counter says. `isWithin` false: nothing may be taken now. */
export interface Count {
  readonly isWithin: boolean;
  readonly remaining: number;
  /** Within: when all is free again, if nothing more is taken; else when what was asked for is. Milliseconds from now. */
  readonly resetMs: number;
}

export interface WindowOptions {
  readonly limit: number;
  readonly windowSeconds: number;
  readonly now: () => number;
}

/**
 * A window is kept as so many parts and the one that is running. Counting all of them covers more than the window, so a
 * limit is never passed; what was taken is free again up to a twentieth of the window late.
 */
export const PARTS = 20;

/** What was taken within one part. */
interface Part {
  readonly number: number;
  taken: number;
}

/** One step is one call: nothing comes between looking and taking. */
export class SlidingWindow {
  readonly #options: WindowOptions;
  readonly #partMs: number;
  /** Parts in which something was taken, oldest first, by key. */
  readonly #keys: Map<string, Part[]> = new Map();
  #sweep: Iterator<[string, Part[]]>;

  constructor(options: WindowOptions) {
    this.#options = options;
    this.#partMs = (options.windowSeconds * 1000) / PARTS;
    this.#sweep = this.#keys.entries();
  }

  /** Keys that are remembered. */
  get size(): number {
    return this.#keys.size;
  }

  /** Takes; what does not fit is not taken, and whoever asks again and again is not punished for it. */
  take(key: string, amount: number): Count {
    const { parts, used } = this.#live(key);
    const { limit } = this.#options;
    if (used + amount > limit) return this.#over(parts, used, amount);
    this.#add(key, parts, amount);
    return { isWithin: true, remaining: limit - used - amount, resetMs: this.#freeMs(this.#running()) };
  }

  /** Takes what was spent already, beyond the limit if need be. Not within: nothing more may be spent. */
  charge(key: string, amount: number): Count {
    const { parts, used } = this.#live(key);
    const { limit } = this.#options;
    this.#add(key, parts, amount);
    if (used + amount >= limit) return this.#over(parts, used + amount, 1);
    return { isWithin: true, remaining: limit - used - amount, resetMs: this.#freeMs(this.#running()) };
  }

  /** Gives back what was taken just now. Of a part that has ended nothing is given back, to the customer's cost. */
  giveBack(key: string, amount: number): void {
    const last = this.#keys.get(key)?.at(-1);
    if (last !== undefined && last.number === this.#running() && last.taken >= amount) last.taken -= amount;
  }

  #live(key: string): { parts: Part[]; used: number } {
    this.#forgetSome();
    const oldest = this.#running() - PARTS;
    const parts = this.#keys.get(key) ?? [];
    while (parts[0] !== undefined && parts[0].number < oldest) parts.shift();
    return { parts, used: parts.reduce((sum, { taken }) => sum + taken, 0) };
  }

  #add(key: string, parts: Part[], amount: number): void {
    const number = this.#running();
    const last = parts.at(-1);
    // A clock that was set back counts on in the newest part there is.
    if (last !== undefined && last.number >= number) last.taken += amount;
    else parts.push({ number, taken: amount });
    this.#keys.set(key, parts);
  }

  /** The moment at which so much has left the window that the amount fits; at the latest, when all has. */
  #over(parts: readonly Part[], used: number, amount: number): Count {
    const { limit } = this.#options;
    let left = used;
    let last = this.#running();
    for (const { number, taken } of parts) {
      left -= taken;
      last = number;
      if (left + amount <= limit) break;
    }
    return { isWithin: false, remaining: Math.max(0, limit - used), resetMs: this.#freeMs(last) };
  }

  #running(): number {
    return Math.floor(this.#options.now() / this.#partMs);
  }

  /** From now until a part has left the window. */
  #freeMs(part: number): number {
    return Math.max(0, Math.ceil((part + PARTS + 1) * this.#partMs - this.#options.now()));
  }

  /** Two keys are looked at with each call, so that those which nobody asks for any more are forgotten. */
  #forgetSome(): void {
    const oldest = this.#running() - PARTS;
    for (let looked = 0; looked < 2; looked += 1) {
      const { value, done } = this.#sweep.next();
      if (done === true) {
        this.#sweep = this.#keys.entries();
        return;
      }
      const [key, parts] = value;
      const last = parts.at(-1);
      if (last === undefined || last.number < oldest) this.#keys.delete(key);
    }
  }
}
