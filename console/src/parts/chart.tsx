// Activity over time as bars, with the figures under the pointer in words, and a summary for those who do not see it.
import { type ReactNode, useEffect, useRef, useState } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { Series } from "../../../src/api/contract/figures.ts";
import { bucketName, exact, figure, tickName, utc } from "../format.ts";
import { useTheme } from "../theme.tsx";

const HEIGHT_PX = 190;
/** More empty buckets than this are not filled in: the series is too sparse for its span. */
const BUCKETS_MAX = 2_000;

/** Exchanges are counted: an axis in halves would mean nothing. */
const COUNT_STEPS = Array.from({ length: 10 }, (_, power) =>
  [1, 2, 5].map((step) => step * 10 ** power),
).flat();

interface Columns {
  readonly times: number[];
  readonly exchanges: number[];
  readonly accounts: number[];
}

export function ActivityChart({ series, label }: { series: Series; label: string }): ReactNode {
  const frame = useRef<HTMLDivElement>(null);
  const [under, setUnder] = useState<number | null>(null);
  const theme = useTheme();
  const columns = fill(series);
  const { times, exchanges, accounts } = columns;
  // biome-ignore lint/correctness/useExhaustiveDependencies: columns follow from series; theme changes the colours read.
  useEffect(() => {
    const element = frame.current;
    if (element === null || times.length === 0) return;
    const plot = draw(element, columns, series.bucketSeconds, setUnder);
    const observer = new ResizeObserver(() =>
      plot.setSize({ width: element.clientWidth, height: HEIGHT_PX }),
    );
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [series, theme]);
  if (times.length === 0) return <p className="muted pad">Nothing has happened in this period.</p>;
  const total = exchanges.reduce((sum, value) => sum + value, 0);
  const peak = exchanges.indexOf(Math.max(...exchanges));
  const at = under ?? peak;
  const name = bucketName(series.bucketSeconds);
  return (
    <figure className="chart">
      <figcaption>
        <span>
          {label} per {name}
        </span>
        <span className="muted">
          {under === null ? "peak: " : ""}
          {stamp(times[at])} · {exact(exchanges[at] ?? 0)} exchanges
          {accounts.some((value) => value > 1) && ` · ${exact(accounts[at] ?? 0)} accounts`}
        </span>
      </figcaption>
      <div
        ref={frame}
        role="img"
        aria-label={`${label} per ${name} from ${stamp(times[0])} to ${stamp(times.at(-1))}: ${exact(total)} in all, most (${exact(exchanges[peak] ?? 0)}) at ${stamp(times[peak])}.`}
      />
    </figure>
  );
}

function stamp(seconds: number | undefined): string {
  return seconds === undefined ? "" : `${utc(new Date(seconds * 1000).toISOString()).slice(0, 16)} UTC`;
}

/** Buckets in which nothing happened are not sent; a chart must show them as nothing, not leave them out. */
function fill({ buckets, bucketSeconds }: Series): Columns {
  const columns: Columns = { times: [], exchanges: [], accounts: [] };
  for (const bucket of buckets) {
    const time = Date.parse(bucket.at) / 1000;
    const last = columns.times.at(-1);
    if (last !== undefined && bucketSeconds > 0) {
      for (
        let gap = last + bucketSeconds;
        gap < time && columns.times.length < BUCKETS_MAX;
        gap += bucketSeconds
      ) {
        push(columns, gap, 0, 0);
      }
    }
    push(columns, time, bucket.exchanges, bucket.accounts);
  }
  return columns;
}

function push(columns: Columns, time: number, exchanges: number, accounts: number): void {
  columns.times.push(time);
  columns.exchanges.push(exchanges);
  columns.accounts.push(accounts);
}

function draw(
  element: HTMLElement,
  { times, exchanges }: Columns,
  bucketSeconds: number,
  setUnder: (index: number | null) => void,
): uPlot {
  const style = getComputedStyle(element);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const font = `11px ${style.fontFamily}`;
  const axis = {
    stroke: colour("--muted"),
    font,
    ticks: { show: false },
    grid: { stroke: colour("--line"), width: 1 },
  };
  const bars = uPlot.paths.bars;
  return new uPlot(
    {
      width: element.clientWidth,
      height: HEIGHT_PX,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
      legend: { show: false },
      padding: [8, 24, 0, 0],
      cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
      scales: {
        x: { range: (_plot, min, max) => [min - bucketSeconds / 2, max + bucketSeconds] },
        y: { range: (_plot, _min, max) => [0, Math.max(1, max * 1.08)] },
      },
      series: [
        {},
        {
          fill: colour("--bar"),
          width: 0,
          points: { show: false },
          ...(bars === undefined ? {} : { paths: bars({ size: [0.76, 28], align: 1 }) }),
        },
      ],
      axes: [
        { ...axis, size: 28, grid: { show: false }, values: (_plot, splits) => splits.map(tickName) },
        {
          ...axis,
          size: 52,
          incrs: COUNT_STEPS,
          values: (_plot, splits) => splits.map((value) => (Number.isInteger(value) ? figure(value) : "")),
        },
      ],
      hooks: { setCursor: [(plot) => setUnder(plot.cursor.idx ?? null)] },
    },
    [times, exchanges],
    element,
  );
}
