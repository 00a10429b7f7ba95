// How long work asks whether it is time to let others have a turn.

/** Called between two steps; where a promise comes back, it is time, and the work goes on after it. */
export type Breathe = () => Promise<void> | undefined;

/** For who has nothing else to do. */
export const withoutRest: Breathe = () => undefined;
