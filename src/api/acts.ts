// Writes what people do through the API into the log, durably, before it counts as done.
import { type Act, type ActRecorder, actDraft } from "../core/acts.ts";
import type { Appended } from "../log/writer.ts";
import type { ApiContext, ApiOptions } from "./services.ts";

/** Records acts under the name of whoever does them. Throws LogError when the disk refuses. */
export function recorderFor(by: string, options: ApiOptions): ActRecorder {
  return async (acts) => {
    await Promise.all(acts.map((act) => append(act, by, options).durable));
  };
}

/** How the state is told who changes something in a request, and where to record it. */
export function recordedBy(context: ApiContext, options: ApiOptions): { record: ActRecorder; by: string } {
  const { actor: by } = context.get("identity");
  return { record: recorderFor(by, options), by };
}

/** One act, for those who need its place in the writer's sequence. */
export function append(act: Act, by: string, { writer, clock }: ApiOptions): Appended {
  return writer.append(actDraft(act, { by, timeMs: clock() }));
}
