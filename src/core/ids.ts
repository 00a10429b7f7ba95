// Identifiers that sort by time, so that indexes over them grow at one end.

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const TIME_CHARACTERS = 10;
const RANDOM_BYTES = 10;

/**
 * `<prefix>_` + 10 characters of time (48 bits of milliseconds) + 16 characters of randomness (80 bits), Crockford
 * base 32 in lower case. `random` holds at least 10 bytes.
 */
export function timeId(prefix: string, timeMs: number, random: Uint8Array): string {
  if (random.length < RANDOM_BYTES)
    throw new RangeError(`expected ${RANDOM_BYTES} random bytes, got ${random.length}`);
  let time = "";
  let rest = timeMs;
  for (let i = 0; i < TIME_CHARACTERS; i++) {
    time = ALPHABET.charAt(rest % 32) + time;
    rest = Math.floor(rest / 32);
  }
  let tail = "";
  let bits = 0;
  let held = 0;
  for (let i = 0; i < RANDOM_BYTES; i++) {
    held = (held << 8) | (random[i] ?? 0);
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      tail += ALPHABET.charAt((held >> bits) & 31);
    }
    held &= (1 << bits) - 1;
  }
  return `${prefix}_${time}${tail}`;
}
