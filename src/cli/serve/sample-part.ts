// The built-in sample model as a process of its own: what answers when no upstream is configured.
import { startSample } from "../../sample/server.ts";
import type { Part, PartContext } from "./part.ts";

export async function start({ config }: PartContext): Promise<Part> {
  const url = config.gateway.upstreams[0]?.url;
  if (url === undefined) throw new TypeError("expected the address of the sample model, got none");
  const sample = await startSample({ port: Number(new URL(url).port) });
  return { detail: `http://127.0.0.1:${sample.port}`, close: () => sample.close() };
}
