// Figures and times as people read them; every time is UTC, whatever the browser's zone is.

const COMPACT = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const WHOLE = new Intl.NumberFormat("en");
const WHOLE_OR_SMALL = new Intl.NumberFormat("en", { maximumFractionDigits: 6 });

/** 12,345 below a hundred thousand, 1.2M above. */
export function figure(value: number): string {
  return Math.abs(value) < 100_000 ? WHOLE.format(value) : COMPACT.format(value);
}

export function exact(value: number): string {
  return WHOLE.format(value);
}

/** 2026-03-05 10:00:00 */
export function utc(iso: string): string {
  return iso.slice(0, 19).replace("T", " ");
}

const UNITS: readonly (readonly [unit: string, seconds: number])[] = [
  ["y", 31_557_600],
  ["mo", 2_629_800],
  ["d", 86_400],
  ["h", 3_600],
  ["min", 60],
];

/** "3 d ago", "in 5 min", "now". */
export function relative(iso: string, nowMs: number): string {
  const seconds = Math.round((nowMs - Date.parse(iso)) / 1000);
  const size = Math.abs(seconds);
  const unit = UNITS.find(([, length]) => size >= length);
  if (unit === undefined) return size < 10 ? "now" : seconds > 0 ? `${size} s ago` : `in ${size} s`;
  const amount = Math.floor(size / unit[1]);
  return seconds > 0 ? `${amount} ${unit[0]} ago` : `in ${amount} ${unit[0]}`;
}

export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  return `${(ms / 60_000).toFixed(1)} min`;
}

/** Length of a bucket in words: "hour", "15 minutes". */
export function bucketName(seconds: number): string {
  const names: readonly (readonly [number, string])[] = [
    [86_400, "day"],
    [3_600, "hour"],
    [60, "minute"],
    [1, "second"],
  ];
  for (const [length, name] of names) {
    if (seconds % length !== 0) continue;
    const count = seconds / length;
    return count === 1 ? name : `${count} ${name}s`;
  }
  return `${seconds} seconds`;
}

/** p and e values: enough digits to judge, none that pretend precision. */
export function evidence(value: number): string {
  if (value === 0) return "0";
  if (value >= 0.0001 && value < 1_000_000) return WHOLE_OR_SMALL.format(Number(value.toPrecision(3)));
  return value.toExponential(1).replace(".0e", "e").replace("e+", "e");
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** What stands at an axis: a day at midnight, else the time of day. UTC. */
export function tickName(seconds: number): string {
  const date = new Date(seconds * 1000);
  const time = date.toISOString().slice(11, 16);
  return time === "00:00" ? `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}` : time;
}
