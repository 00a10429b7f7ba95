// Works out the arithmetic in a prompt, so that the sample model has something true to say.

const MAX_CHARACTERS = 200;
const MAX_DEPTH = 20;
const EXPRESSION = /[(\d][\d\s.+\-*/×÷()]*[\d)]/g;

/** The longest expression with at least one operator in `text`, with its value; null when there is none. */
export function arithmeticIn(text: string): { expression: string; value: number } | null {
  let found: { expression: string; value: number } | null = null;
  for (const [match] of text.slice(0, 10_000).matchAll(EXPRESSION)) {
    const expression = match.trim();
    if (expression.length > MAX_CHARACTERS || !/\d[\s)]*[+\-*/×÷]/.test(expression)) continue;
    const value = evaluate(expression);
    if (value !== null && expression.length > (found?.expression.length ?? 0)) found = { expression, value };
  }
  return found;
}

/** Value of an expression of numbers, + - * / and parentheses; null when it is none or divides by zero. */
function evaluate(expression: string): number | null {
  const symbols =
    expression
      .replace(/×/g, "*")
      .replace(/÷/g, "/")
      .match(/\d+(?:\.\d+)?|[+\-*/()]/g) ?? [];
  let at = 0;
  const sum = (depth: number): number => {
    let value = product(depth);
    while (symbols[at] === "+" || symbols[at] === "-")
      value += symbols[at++] === "+" ? product(depth) : -product(depth);
    return value;
  };
  const product = (depth: number): number => {
    let value = factor(depth);
    while (symbols[at] === "*" || symbols[at] === "/")
      value = symbols[at++] === "*" ? value * factor(depth) : value / factor(depth);
    return value;
  };
  const factor = (depth: number): number => {
    const symbol = symbols[at++];
    if (symbol === undefined || depth > MAX_DEPTH) return Number.NaN;
    if (symbol === "-") return -factor(depth + 1);
    if (symbol !== "(") return Number(symbol);
    const value = sum(depth + 1);
    return symbols[at++] === ")" ? value : Number.NaN;
  };
  const value = sum(0);
  if (at !== symbols.length || !Number.isFinite(value)) return null;
  return Math.round(value * 1e9) / 1e9;
}
