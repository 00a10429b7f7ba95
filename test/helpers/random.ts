// Numbers that look random and are the same in every run.

export interface Random {
  /** A whole number from 0 to before `limit`. */
  below(limit: number): number;
}

/** Mulberry32, a small generator of good enough quality for choosing what to spoil. */
export function generator(seed: number): Random {
  let state = seed >>> 0;
  return {
    below: (limit) => {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * limit);
    },
  };
}
