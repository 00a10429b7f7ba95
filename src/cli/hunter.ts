// Binds detection to this installation's store and configuration; live and replayed, only the clock differs.
import type { DetectConfig } from "../config/schema.ts";
import type { Finding } from "../core/finding.ts";
import { loadDetectors } from "../detect/catalog.ts";
import type { DetectError } from "../detect/errors.ts";
import { type HuntOptions, type HuntResult, type LookOptions, Watch } from "../detect/hunt.ts";

/** Looks at what is in the store, as of `nowMs`, and waits for every detector that is due: replay, the command line. */
export type Hunter = (nowMs: number, options?: LookOptions) => Promise<readonly Finding[]>;

/** The same live: detectors run beside the ticks. */
export interface LiveHunter extends Pick<Watch, "isDue" | "run"> {
  /** What stands now, with who joined it. Doesn't wait for a run. */
  tick(nowMs: number): Promise<readonly Finding[]>;
}

export interface HunterOptions {
  readonly store: HuntOptions["store"];
  readonly config: DetectConfig;
  /** What earlier runs found: findings that grow keep their ids. */
  readonly previous: readonly Finding[];
  /** Told of a detector that could not finish; the others' findings stand. */
  readonly onFailure: (detector: string, error: DetectError) => void;
}

/** Findings are remembered from look to look. @throws DetectError when a detector's folder is malformed */
export async function openHunter(options: HunterOptions): Promise<Hunter> {
  const watch = await watchOf(options);
  return async (nowMs, look) => toldOf(await watch.look(nowMs, look), options);
}

/** @throws DetectError when a detector's folder is malformed */
export async function openLiveHunter(options: HunterOptions): Promise<LiveHunter> {
  const watch = await watchOf(options);
  return {
    isDue: (nowMs) => watch.isDue(nowMs),
    run: (nowMs, running) => watch.run(nowMs, running),
    tick: async (nowMs) => toldOf(await watch.tick(nowMs), options),
  };
}

async function watchOf({ store, config, previous }: HunterOptions): Promise<Watch> {
  const disabled = new Set(config.disabledDetectors);
  const { hiddenSizes } = config;
  const detectors = (await loadDetectors())
    .filter(({ id }) => !disabled.has(id))
    .map((detector) => ({ ...detector, hiddenSizes }));
  return new Watch({ store, detectors, level: config.falseDiscoveryRate, previous });
}

function toldOf(
  { findings, failures }: HuntResult,
  { config, onFailure }: Pick<HunterOptions, "config" | "onFailure">,
): Finding[] {
  for (const { detector, error } of failures) onFailure(detector, error);
  const declared = new Set(config.declaredGateways);
  return findings.flatMap((finding) => withoutDeclared(finding, declared));
}

/** A declared gateway carries many people's traffic: it is no member of a campaign, and no single author. */
function withoutDeclared(finding: Finding, declared: ReadonlySet<string>): Finding[] {
  if (declared.size === 0 || finding.kind === "probe") return [finding];
  const accounts = finding.accounts.filter((account) => !declared.has(account));
  return accounts.length === 0 ? [] : [{ ...finding, accounts }];
}
