// A thread that encrypts and checks records. It knows no file and no account's key: each job brings what it needs.
import { parentPort } from "node:worker_threads";
import { doJob, type RecordJob } from "./record-job.ts";

const port = parentPort;
if (port === null) throw new TypeError("expected to run as a thread, got a process");

port.on("message", (job: RecordJob) => {
  const result = doJob(job);
  port.postMessage(result, result?.type === "seal" ? [result.bytes.buffer] : []);
});
