// Why a configuration was refused. Every code is listed in docs/errors.md.
import { AdytonError } from "../core/errors.ts";

export const CONFIG_ERROR_CODES: {
  readonly "config-not-found": string;
  readonly "config-not-readable": string;
  readonly "config-syntax": string;
  readonly "config-invalid": string;
  readonly "secret-unavailable": string;
} = {
  "config-not-found":
    "The configuration file named by --config or ADYTON_CONFIG does not exist. Correct the path, or leave both out to run with the defaults.",
  "config-not-readable":
    "The configuration file exists but could not be read. Check its owner, its mode and its size (at most 1 MiB).",
  "config-syntax": "The configuration file is not YAML. The message names file, line and column.",
  "config-invalid":
    "A setting is unknown or has a wrong value. The message names file, line, column and setting; docs/configuration.md lists what is allowed.",
  "secret-unavailable":
    "A secret that the configuration refers to (an environment variable or a file) is missing or empty. Set the variable or write the file.",
};

export type ConfigErrorCode = keyof typeof CONFIG_ERROR_CODES;

/** Thrown by the loader and by `readSecret`. The message never holds a value of the configuration. */
export class ConfigError extends AdytonError<ConfigErrorCode> {}
