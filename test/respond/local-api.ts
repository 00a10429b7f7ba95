// Asks a running installation's API as the operator of the machine does, over the local socket.
import assert from "node:assert/strict";
import { request } from "node:http";
import { join } from "node:path";
import type { RunningInstallation } from "../helpers/installation.ts";

/** As the operator of the machine, over the local socket. */
export async function local(
  { folder }: RunningInstallation,
  method: "GET" | "POST",
  path: string,
  body?: object,
): Promise<{ status: number; text: string }> {
  return await new Promise((resolve, reject) => {
    const asked = request(
      {
        ...{ socketPath: join(folder, "run", "adyton.sock"), method, path },
        headers: { "content-type": "application/json" },
      },
      (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => {
          text += part;
        });
        response.once("end", () => resolve({ status: response.statusCode ?? 0, text }));
      },
    );
    asked.once("error", reject);
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

export async function decide(
  installation: RunningInstallation | undefined,
  verdict: string,
  body: object,
): Promise<void> {
  assert.ok(installation !== undefined);
  const { status, text } = await local(installation, "POST", `/api/verdicts/${verdict}/decision`, body);
  assert.equal(status, 200, text);
}
