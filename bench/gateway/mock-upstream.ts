// The upstream of the benchmark: answers from prepared bytes over bare sockets, so that it costs next to nothing.
import { createServer, type Socket } from "node:net";
import { ANSWER, DONE, EVENT, EVENTS_PER_STREAM, PACED_EVENT_INTERVAL_MS } from "./exchange.ts";

const WHOLE = Buffer.concat([
  Buffer.from(
    `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-request-id: req_bench\r\ncontent-length: ${ANSWER.length}\r\n\r\n`,
  ),
  ANSWER,
]);
const STREAM_HEAD = Buffer.from(
  "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n",
);
const chunked = (bytes: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")]);
const EVENT_CHUNK = chunked(EVENT);
const STREAM_END = Buffer.concat([chunked(DONE), Buffer.from("0\r\n\r\n")]);
const HEAD_END = Buffer.from("\r\n\r\n");

const server = createServer({ noDelay: true }, (socket) => {
  let pending: Buffer = Buffer.alloc(0);
  socket.on("error", () => {});
  socket.on("data", (chunk) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
    for (;;) {
      const headEnd = pending.indexOf(HEAD_END);
      if (headEnd === -1) return;
      const head = pending.toString("latin1", 0, headEnd);
      const end = headEnd + 4 + bodyBytes(head, pending.subarray(headEnd + 4));
      if (Number.isNaN(end) || pending.length < end) return;
      const body = pending.subarray(headEnd + 4, end);
      pending = pending.subarray(end);
      answer(socket, body);
    }
  });
});

/** Length of the body as it stands on the wire; NaN while a chunked one is incomplete. */
function bodyBytes(head: string, rest: Buffer): number {
  const declared = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (declared !== undefined) return Number(declared);
  if (!/\r\ntransfer-encoding: *chunked/i.test(head)) return 0;
  const end = rest.indexOf("0\r\n\r\n");
  return end === -1 ? Number.NaN : end + 5;
}

function answer(socket: Socket, body: Buffer): void {
  const start = body.toString("latin1", 0, 200);
  if (start.includes("bench-paced")) stream(socket, (next) => setTimeout(next, PACED_EVENT_INTERVAL_MS));
  else if (start.includes("bench-flood")) stream(socket, setImmediate);
  else socket.write(WHOLE);
}

function stream(socket: Socket, later: (next: () => void) => unknown): void {
  let left = EVENTS_PER_STREAM;
  socket.write(STREAM_HEAD);
  const next = (): void => {
    if (socket.destroyed) return;
    if (left === 0) {
      socket.write(STREAM_END);
      return;
    }
    left -= 1;
    if (socket.write(EVENT_CHUNK)) later(next);
    else socket.once("drain", next);
  };
  later(next);
}

server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object" && address !== null) console.log(JSON.stringify({ port: address.port }));
});
