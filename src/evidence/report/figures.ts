// Figures and times as people read them: three significant digits, powers of ten written out, no more than it takes.

export const grouped = (value: number): string => value.toLocaleString("en-GB");
export const day = (time: string): string => time.slice(0, 10);
export const minute = (time: string): string => `${time.slice(0, 16).replace("T", " ")} UTC`;
export const minuteOf = (timeMs: number): string => minute(new Date(timeMs).toISOString());

const RAISED: Readonly<Record<string, string>> = Object.fromEntries(
  [..."-0123456789"].map((digit, at) => [digit, "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"[at] ?? digit]),
);

/** Three significant digits; what is very small or very large as a power of ten. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return "beyond computing";
  const size = Math.abs(value);
  if (value === 0 || (size >= 1e-3 && size < 1e6))
    return value.toLocaleString("en-GB", { maximumSignificantDigits: 3 });
  const [digits = "", power = ""] = value.toExponential(2).split("e");
  const raised = [...power.replace("+", "")].map((digit) => RAISED[digit] ?? digit).join("");
  return `${Number(digits)} × 10${raised}`;
}

/** Whole times in ISO 8601, powers of ten, decimals of more than three places, whole numbers of more than fourteen digits. */
const NUMBERS =
  /(?<![\w.-])(?:\d{4}-\d\d-\d\dT\d\d:\d\d[\d:.]*Z|-?\d+(?:\.\d+)?e[+-]?\d+|\d+\.\d{4,}|\d{15,})(?![\w-])/g;
/** A p-value is never nought: it was too small to compute. */
const NOUGHT = /\bp = 0(?![\d.])/g;

/** A detector's text with its figures rounded and its times shortened. The finding's own file has them in full. */
export function readable(text: string): string {
  return text.replace(NOUGHT, "p too small to compute").replace(NUMBERS, (found) => {
    if (found.endsWith("Z")) return minute(found);
    return /^\d{15,}$/.test(found) ? `${found.slice(0, 6)}…` : figure(Number(found));
  });
}
