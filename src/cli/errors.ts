// What can go wrong in the command itself, and the exit codes that scripts rely on.
import { AdytonError } from "../core/errors.ts";

export const CLI_ERROR_CODES: {
  readonly usage: string;
  readonly "act-not-durable": string;
  readonly "check-failed": string;
  readonly interrupted: string;
  readonly "server-gone": string;
  readonly "input-damaged": string;
  readonly "already-running": string;
  readonly "port-taken": string;
  readonly "thread-died": string;
} = {
  usage: "The command was called wrongly. `adyton <command> --help` shows how, with examples.",
  "act-not-durable":
    "The change could not be written to the log, so it was not made. Check the disk and run `adyton doctor`.",
  "already-running":
    "Another adyton serve works on this data folder. Stop it, or choose another folder with --data.",
  "port-taken": "A port that Adyton should listen on is not free. Choose another in the configuration.",
  "thread-died":
    "A thread that derives features ended. Another takes its place, and the same stretch of the log is tried again.",
  "check-failed": "A check found something wrong; the lines above name it.",
  "server-gone":
    "The server that sealed this folder's log stopped meanwhile. Run the command again; nothing is lost.",
  interrupted: "A signal stopped the command before it was done. It can be run again.",
  "input-damaged":
    "An input file could not be read to its end, such as a gzip file that was cut. What was read before was taken in.",
};

export type CliErrorCode = keyof typeof CLI_ERROR_CODES;

/** Thrown by commands. `main` prints it as one line and chooses the exit code. */
export class CliError extends AdytonError<CliErrorCode> {}

/** Exit codes of every command. */
export const EXIT: {
  readonly ok: 0;
  readonly error: 1;
  readonly usage: 2;
  readonly rejectedInput: 3;
  readonly checkFailed: 4;
  readonly ownWord: 5;
  readonly configuration: 78;
} = { ok: 0, error: 1, usage: 2, rejectedInput: 3, checkFailed: 4, ownWord: 5, configuration: 78 };

export const EXIT_CODE_HELP = `Exit codes:
  0   done
  1   an operating error; the line on standard error names its code
  2   called wrongly
  3   done, but some input was rejected (an import with malformed lines)
  4   a check failed (doctor, fsck, verify)
  5   a bundle agrees with itself, but no policy was given that says whose log it is (verify)
  78  the configuration or the runtime is not usable`;
