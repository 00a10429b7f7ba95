// Sets the report's blocks as one HTML file without scripts, which loads nothing and runs nothing.
import { escapeHtml } from "../visible-text.ts";
import type { Block, Column } from "./blocks.ts";
import { grouped } from "./figures.ts";
import { fleetSvg } from "./fleet-svg.ts";
import { labelEvery, shade } from "./lanes.ts";

const STYLE = `
body { font: 16px/1.5 system-ui, "DejaVu Sans", sans-serif; color: #1b1f24; background: #fff; max-width: 56rem; margin: 2rem auto; padding: 0 1.5rem; }
h1 { font-size: 1.8rem; line-height: 1.2; margin: 0 0 .25rem; } h2 { font-size: 1.25rem; margin: 2.2rem 0 .5rem; border-bottom: 1px solid #cfd5dd; padding-bottom: .2rem; } h3 { font-size: 1.02rem; margin: 1.4rem 0 .3rem; }
p { margin: .5rem 0; } .below { color: #515b68; margin-bottom: 1.2rem; }
.notice { border-left: 4px solid #1f3a5f; background: #eef2f7; padding: .6rem .9rem; margin: .9rem 0; }
table { border-collapse: collapse; width: 100%; margin: .6rem 0; font-size: .86rem; } th, td { text-align: left; vertical-align: top; padding: .25rem .5rem; border-bottom: 1px solid #dfe4ea; overflow-wrap: anywhere; } th { border-bottom: 2px solid #9aa5b1; overflow-wrap: normal; } .dense { font-size: .74rem; } .dense td { overflow-wrap: break-word; } .dense td.long { overflow-wrap: anywhere; } .date { white-space: nowrap; } .right { text-align: right; font-variant-numeric: tabular-nums; }
dl { display: grid; grid-template-columns: minmax(9rem, 14rem) 1fr; gap: .2rem 1rem; margin: .6rem 0; } dt { color: #515b68; } dd { margin: 0; overflow-wrap: anywhere; }
blockquote { margin: .6rem 0; padding: .4rem .9rem; border-left: 3px solid #b7c0cb; background: #f7f8fa; white-space: pre-wrap; overflow-wrap: anywhere; } blockquote footer { color: #515b68; font-size: .82rem; }
figure { margin: 1rem 0; } figcaption { color: #515b68; font-size: .85rem; margin-top: .3rem; } svg { max-width: 100%; height: auto; }
@media print { body { margin: 0; max-width: none; font-size: 11pt; } h2 { break-after: avoid; } tr, blockquote, figure { break-inside: avoid; } }
`;

/** `title`: of the window. Everything is escaped; the policy in the head forbids scripts and any loading. */
export function renderHtml(title: string, blocks: readonly Block[]): string {
  return [
    "<!doctype html>",
    '<html lang="en">',
    '<head><meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escapeHtml(title)}</title>`,
    `<style>${STYLE}</style></head>`,
    "<body>",
    ...blocks.map(blockHtml),
    "</body></html>",
    "",
  ].join("\n");
}

function blockHtml(block: Block): string {
  switch (block.kind) {
    case "title":
      return `<h1>${escapeHtml(block.text)}</h1>\n<p class="below">${escapeHtml(block.below)}</p>`;
    case "heading":
      return `<h2>${escapeHtml(block.text)}</h2>`;
    case "subheading":
      return `<h3>${escapeHtml(block.text)}</h3>`;
    case "text":
      return `<p>${escapeHtml(block.text)}</p>`;
    case "notice":
      return `<p class="notice">${escapeHtml(block.text)}</p>`;
    case "list":
      return listHtml(block);
    case "facts":
      return `<dl>${block.rows.map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`).join("")}</dl>`;
    case "table":
      return tableHtml(block.columns, block.rows);
    case "quote":
      return `<blockquote>${escapeHtml(block.text)}<footer>${escapeHtml(block.from)}</footer></blockquote>`;
    case "bars":
      return barsHtml(block);
    case "lanes":
      return lanesHtml(block);
    case "fleet":
      return `<figure>${fleetSvg(block.picture)}<figcaption>${escapeHtml(block.caption)}</figcaption></figure>`;
  }
}

function listHtml({ items, numbered }: Extract<Block, { kind: "list" }>): string {
  const tag = numbered === true ? "ol" : "ul";
  return `<${tag}>${items.map((item) => `<li>${escapeHtml(item)}</li>`).join("")}</${tag}>`;
}

/** A table of more columns is set smaller. */
const MOST_COLUMNS = 5;
/** A word that may be broken: it would push the other columns out of the page. */
const LONG_WORD = /\S{29}/;

function tableHtml(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const side = (at: number, cell = ""): string => {
    if (columns[at]?.right === true) return ' class="right"';
    if (/^\d{4}-\d\d-\d\d/.test(cell)) return ' class="date"';
    return LONG_WORD.test(cell) ? ' class="long"' : "";
  };
  const head = columns.map(({ title }, at) => `<th${side(at)}>${escapeHtml(title)}</th>`).join("");
  const body = rows.map(
    (row) => `<tr>${row.map((cell, at) => `<td${side(at, cell)}>${escapeHtml(cell)}</td>`).join("")}</tr>`,
  );
  const dense = columns.length > MOST_COLUMNS ? ' class="dense"' : "";
  return `<table${dense}><thead><tr>${head}</tr></thead><tbody>\n${body.join("\n")}\n</tbody></table>`;
}

const BLUE = "#1f3a5f";
const round = (value: number): number => Math.round(value * 100) / 100;
const BAR_HEIGHT = 14;
const BAR_LABEL = 90;
const BAR_WIDTH = 340;

function barsHtml({ bars, caption }: Extract<Block, { kind: "bars" }>): string {
  const most = Math.max(1, ...bars.map(({ value }) => value));
  const height = bars.length * (BAR_HEIGHT + 3) + 4;
  const drawn = bars.map(({ label, value }, at) => {
    const y = at * (BAR_HEIGHT + 3) + 2;
    const width = Math.round((value / most) * BAR_WIDTH * 10) / 10;
    return `<text x="${BAR_LABEL - 6}" y="${y + 10}" text-anchor="end">${escapeHtml(label)}</text><rect x="${BAR_LABEL}" y="${y}" width="${width}" height="${BAR_HEIGHT}" fill="${BLUE}"/><text x="${BAR_LABEL + width + 6}" y="${y + 10}">${grouped(value)}</text>`;
  });
  return `<figure><figcaption>${escapeHtml(caption)}</figcaption><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 500 ${height}" width="500" height="${height}" role="img" aria-label="${escapeHtml(caption)}" font-family="DejaVu Sans, sans-serif" font-size="9">${drawn.join("")}</svg></figure>`;
}

const LANE_HEIGHT = 12;
const LANE_LABEL = 160;
const LANES_WIDTH = 600;

/** A row for each account, a cell for each day, darker the more there was. */
function lanesHtml({ columns, rows, caption }: Extract<Block, { kind: "lanes" }>): string {
  const cell = Math.min(40, (LANES_WIDTH - LANE_LABEL) / columns.length);
  const height = (rows.length + 1) * LANE_HEIGHT + 4;
  const every = labelEvery(columns.length);
  const days = columns.map((label, at) =>
    at % every === 0 ? `<text x="${round(LANE_LABEL + at * cell)}" y="9">${escapeHtml(label)}</text>` : "",
  );
  const lanes = rows.flatMap(({ label, values }, row) => {
    const y = (row + 1) * LANE_HEIGHT + 2;
    const cells = values.map(
      (value, at) =>
        `<rect x="${round(LANE_LABEL + at * cell)}" y="${y}" width="${round(cell - 1)}" height="${LANE_HEIGHT - 1}" fill="${BLUE}" fill-opacity="${round(shade(value, rows))}"/>`,
    );
    return [
      `<text x="${LANE_LABEL - 6}" y="${y + 9}" text-anchor="end">${escapeHtml(label)}</text>`,
      ...cells,
    ];
  });
  return `<figure><figcaption>${escapeHtml(caption)}</figcaption><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${LANES_WIDTH} ${height}" width="${LANES_WIDTH}" height="${height}" role="img" aria-label="${escapeHtml(caption)}" font-family="DejaVu Sans, sans-serif" font-size="9">${days.join("")}${lanes.join("")}</svg></figure>`;
}
