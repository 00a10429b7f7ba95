// What a client says of its machine in different places: behind a relay, headers and prompt tell of different ones.
import type { Client } from "../../core/exchange.ts";
import type { Message } from "./prompt.ts";

/** Bits of `relay`. Evidence of a relay or a false name, never of intent: honest gateways contradict themselves too. */
export const RELAY = {
  /** The operating system that user agent or headers name is not the one that the prompt works on. */
  systemAndPrompt: 1,
  /** User agent and headers name different operating systems. */
  systemAndHeaders: 2,
  /** A program says in its user agent that it is a browser, and sends none of the headers that browsers send. */
  browserWithoutFetch: 4,
  /** A program that is no browser sends headers that only browsers send. */
  fetchWithoutBrowser: 8,
} as const;

type System = "windows" | "macos" | "linux" | "android" | "ios";

/** Places in which agents tell of their machine: labelled lines and elements, not what a question is about. */
const PLACE =
  /(?:^|\n)[ \t>*-]*(?:platform|os|os version|operating system|system|cwd|working directory|current directory|home|workspace(?: root| path)?)[ \t*]*[:=][ \t]*([^\n]{1,200})|<(?:cwd|working_directory|os|platform|shell)>([^<\n]{1,200})</gi;
/** Any text with a place has one of these. */
const SIGNS = ["latform", "perating", "irectory", "cwd", "orkspace", "OS Version", "<os>"] as const;
const HOME = /^["'`]?(?:\/(?:Users|home)\/|[A-Za-z]:\\{1,2}Users\\{1,2})([^/\\\s"'`<]{1,64})/;
/** Characters of one message that are read for places, and messages: the system prompt and the first of the user. */
const READ_CHARS = 6_000;
const MAX_PLACES = 16;
/** No people's names. */
const COMMON_HOMES: ReadonlySet<string> = new Set([
  "user",
  "root",
  "ubuntu",
  "runner",
  "node",
  "app",
  "shared",
  "public",
]);

export interface Machine {
  /** What the prompt works on, null where it doesn't say or says two. */
  readonly system: System | null;
  /** The person's folder in the first home directory named, or "". */
  readonly home: string;
}

const NOTHING: Machine = { system: null, home: "" };

/** What a prompt says of the machine it comes from. Linear in the characters read. */
export function machineOf(messages: readonly Message[]): Machine {
  const system = messages.find((message) => message.role === "system");
  const first = messages.find((message) => message.role === "user");
  const systems = new Set<System>();
  let home = "";
  for (const message of [system, first]) {
    const text = message?.text.slice(0, READ_CHARS) ?? "";
    if (!SIGNS.some((sign) => text.includes(sign))) continue;
    let places = 0;
    for (const match of text.matchAll(PLACE)) {
      const value = (match[1] ?? match[2] ?? "").trim();
      const found = systemOfPlace(value);
      if (found !== null) systems.add(found);
      const name = HOME.exec(value)?.[1] ?? "";
      if (home === "" && name !== "" && !COMMON_HOMES.has(name.toLowerCase())) home = name;
      places += 1;
      if (places === MAX_PLACES) break;
    }
  }
  if (systems.size === 0 && home === "") return NOTHING;
  const [only] = systems;
  return { system: systems.size === 1 && only !== undefined ? only : null, home };
}

function systemOfPlace(value: string): System | null {
  if (/^["'`]?[A-Za-z]:[\\/]|^["'`]?win(?:32|dows)\b/i.test(value)) return "windows";
  if (/^["'`]?\/Users\/|^["'`]?(?:darwin|mac ?os)\b/i.test(value)) return "macos";
  if (/^["'`]?\/(?:home|root|mnt)\/|^["'`]?linux\b/i.test(value)) return "linux";
  return null;
}

function systemOfAgent(agent: string): System | null {
  if (/android/i.test(agent)) return "android";
  if (/iphone|ipad|ios\//i.test(agent)) return "ios";
  if (/windows|win32|win64/i.test(agent)) return "windows";
  if (/macintosh|mac ?os|darwin|macos/i.test(agent)) return "macos";
  return /linux|x11/i.test(agent) ? "linux" : null;
}

/** Bits above. */
export function relayBits(client: Client, machine: Machine): number {
  const agent = client.userAgent ?? "";
  const said = agent === "" ? null : systemOfAgent(agent);
  const declared = client.declaredSystem === undefined ? null : systemOfAgent(client.declaredSystem);
  let bits = 0;
  if (machine.system !== null && [said, declared].some((one) => one !== null && one !== machine.system))
    bits |= RELAY.systemAndPrompt;
  if (said !== null && declared !== null && said !== declared) bits |= RELAY.systemAndHeaders;
  if (agent === "" || client.headers.length === 0) return bits;
  const isBrowser =
    /^Mozilla\/5\.0 .*(?:Chrome|Firefox|Safari)\//.test(agent) && !/electron|node/i.test(agent);
  const fetches = client.headers.includes("sec-fetch-site") && client.headers.includes("sec-fetch-dest");
  if (isBrowser && !client.headers.includes("sec-fetch-mode")) bits |= RELAY.browserWithoutFetch;
  if (!isBrowser && fetches && !/electron|vscode|code\//i.test(agent)) bits |= RELAY.fetchWithoutBrowser;
  return bits;
}
