// How often one word is said in a row: a model made to repeat itself may fall out of its training into its data.

/** Characters that are read. A run that begins later is not seen; probes begin at once. */
const READ_CHARS = 8_000;
const MAX_RUN = 65_535;

/**
 * Length of the longest run of equal words, 0 for a text without words. Words are what stands between white space,
 * compared in lower case without punctuation at their ends. One pass, linear in the characters read.
 */
export function longestRun(text: string): number {
  const lower = text.slice(0, READ_CHARS).toLowerCase();
  let [longest, run] = [0, 0];
  let last = "";
  for (const match of lower.matchAll(/[^\s]+/g)) {
    const word = match[0].replace(/^\p{P}+|\p{P}+$/gu, "");
    if (word === "") continue;
    run = word === last ? run + 1 : 1;
    last = word;
    longest = Math.max(longest, run);
  }
  return Math.min(longest, MAX_RUN);
}
