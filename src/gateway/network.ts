// Who is calling, as far as the network can tell: the socket's address, or what a trusted proxy says.
import { BlockList, isIP } from "node:net";

/** What is known of the caller's network before anything is looked up. */
export interface NetworkFacts {
  readonly ip: string | null;
  readonly asn: number | null;
  readonly country: string | null;
  readonly ja4: string | null;
}

export interface NetworkSettings {
  readonly trustedProxies: readonly string[];
  readonly ja4Header: string | null;
  readonly countryHeader: string | null;
  readonly asnHeader: string | null;
}

/** Longest chain of proxies that is read; the rest of a longer header is an attacker's. */
const MAX_HOPS = 32;
const MAX_FINGERPRINT_CHARACTERS = 128;
const NO_HEADERS: ReadonlySet<string> = new Set();

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** Reads network facts of requests. Headers are believed only on connections from `trustedProxies`. */
export class NetworkReader {
  readonly #trusted: BlockList | null;
  readonly #settings: NetworkSettings;
  /** Headers that only a trusted proxy may set, and that no upstream needs. */
  readonly headersOfProxies: ReadonlySet<string>;
  /** The same, and what allows an upstream to compress its answer. */
  readonly headersOfProxiesAndCoding: ReadonlySet<string>;

  constructor(settings: NetworkSettings) {
    this.#settings = settings;
    this.#trusted = settings.trustedProxies.length === 0 ? null : blockListOf(settings.trustedProxies);
    const names = [settings.ja4Header, settings.countryHeader, settings.asnHeader].filter(
      (name) => name !== null,
    );
    this.headersOfProxies = names.length === 0 ? NO_HEADERS : new Set(names);
    this.headersOfProxiesAndCoding = new Set([...names, "accept-encoding"]);
  }

  read(peer: string | undefined, headers: Headers): NetworkFacts {
    const address = peer === undefined ? null : unmapped(peer);
    if (this.#trusted === null || address === null || !isTrusted(this.#trusted, address)) {
      return { ip: address, asn: null, country: null, ja4: null };
    }
    const country = single(headers, this.#settings.countryHeader);
    const asn = Number((single(headers, this.#settings.asnHeader) ?? "").replace(/^AS/i, ""));
    const ja4 = single(headers, this.#settings.ja4Header);
    return {
      ip: this.#clientBehind(address, headers["x-forwarded-for"], this.#trusted),
      asn: Number.isSafeInteger(asn) && asn > 0 && asn <= 0xffff_ffff ? asn : null,
      country: country !== null && /^[A-Za-z]{2}$/.test(country) ? country.toUpperCase() : null,
      ja4: ja4 !== null && ja4.length <= MAX_FINGERPRINT_CHARACTERS ? ja4 : null,
    };
  }

  /** The rightmost address that is not a trusted proxy: everything left of it may have been made up by the client. */
  #clientBehind(proxy: string, header: string | string[] | undefined, trusted: BlockList): string {
    const hops = (Array.isArray(header) ? header.join(",") : (header ?? "")).split(",").slice(-MAX_HOPS);
    let client = proxy;
    for (const hop of hops.reverse()) {
      const address = plainAddress(hop.trim());
      if (address === null) break;
      client = address;
      if (!isTrusted(trusted, address)) break;
    }
    return client;
  }
}

function single(headers: Headers, name: string | null): string | null {
  if (name === null) return null;
  const value = headers[name];
  return typeof value === "string" && value !== "" ? value : null;
}

/** An address without the `::ffff:` prefix that a dual-stack socket adds to IPv4, and without zone. */
function unmapped(address: string): string {
  if (!address.includes(":")) return address;
  if (address.startsWith("::ffff:") && address.includes(".")) return address.slice(7);
  return address.split("%")[0] ?? "";
}

/** An address that somebody wrote; null when it is none. */
function plainAddress(text: string): string | null {
  const address = unmapped(text);
  return isIP(address) === 0 ? null : address;
}

function isTrusted(trusted: BlockList, address: string): boolean {
  return trusted.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
}

function blockListOf(blocks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const block of blocks) {
    const [address = "", prefix] = block.split("/");
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  return list;
}
