// What can go wrong in detection. A detector that fails is isolated by the hunt and reported with one of these codes.
import { AdytonError } from "../core/errors.ts";

export const DETECT_ERROR_CODES: {
  readonly "detector-invalid": string;
  readonly "detector-unknown": string;
  readonly "detector-failed": string;
  readonly "detector-overtaken": string;
  readonly "embedding-model-invalid": string;
  readonly "embedding-runtime-missing": string;
} = {
  "detector-invalid":
    "A detector's files are missing or don't fit the schema. The message names detector, file and place; docs/detection.md says what belongs there.",
  "detector-unknown": "No detector of that id is installed. `adyton detectors list` names all of them.",
  "detector-failed":
    "A detector could not finish. The other detectors' findings stand; the message and its cause say why this one failed.",
  "detector-overtaken":
    "Accounts were erased each time the detector read the store. It is due still and runs again.",
  "embedding-model-invalid":
    "The folder of detect.embeddingModel holds no model that can be used. The message says what is missing or does not fit; without the setting the built-in sketch is used.",
  "embedding-runtime-missing":
    "detect.embeddingModel is set, and what runs such a model is not installed. Run npm install onnxruntime-web @huggingface/tokenizers.",
};

export type DetectErrorCode = keyof typeof DETECT_ERROR_CODES;

export class DetectError extends AdytonError<DetectErrorCode> {}
