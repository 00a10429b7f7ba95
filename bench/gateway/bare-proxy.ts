// The yardstick: the least that a proxy in Node can do with the same two parts (node:http in, undici dispatch out).
// No keys, no limits, no log, no error handling worth the name.
import { createServer } from "node:http";
import { type Dispatcher, Pool } from "undici";

const pool = new Pool(`http://127.0.0.1:${process.argv[2]}`, { connections: 256, pipelining: 1 });
const DROPPED = new Set(["host", "connection", "content-length", "transfer-encoding", "keep-alive"]);

const server = createServer({ noDelay: true }, (request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const headers: string[] = [];
    for (let index = 0; index < request.rawHeaders.length; index += 2) {
      const name = request.rawHeaders[index] ?? "";
      if (!DROPPED.has(name.toLowerCase())) headers.push(name, request.rawHeaders[index + 1] ?? "");
    }
    let controller: Dispatcher.DispatchController | null = null;
    response.on("drain", () => controller?.resume());
    response.on("close", () => {
      if (!response.writableFinished) controller?.abort(new Error("gone"));
    });
    pool.dispatch(
      { path: request.url ?? "/", method: request.method ?? "GET", headers, body: Buffer.concat(chunks) },
      {
        onRequestStart: (started) => {
          controller = started;
        },
        onResponseStart: (_, status, upstream) => {
          for (const name of ["connection", "transfer-encoding", "keep-alive"]) delete upstream[name];
          response.writeHead(status, upstream);
        },
        onResponseData: (current, chunk) => {
          if (!response.write(chunk)) current.pause();
        },
        onResponseEnd: () => {
          response.end();
        },
        onResponseError: () => response.destroy(),
      },
    );
  });
});

server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object" && address !== null) console.log(JSON.stringify({ port: address.port }));
});
