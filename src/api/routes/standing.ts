// What was verified and declared of an account or an organisation: one set of handlers for both kinds of subject.
import type { SubjectKind } from "../../core/identity.ts";
import type { Subject } from "../../state/identity-history.ts";
import type { State } from "../../state/state.ts";
import { recordedBy } from "../acts.ts";
import { DECLARED_USES, declarationBody, type Standing, verificationBody } from "../contract/identities.ts";
import { ApiError } from "../errors.ts";
import { isoTime, isoTimeOrNull, msOrNull, pathPart, readBody } from "../http.ts";
import type { ApiContext, Handler, Handlers } from "../services.ts";

const HISTORY_SHOWN = 100;

export const standingHandlers: Handlers<
  | "GET /api/accounts/:account/standing"
  | "POST /api/accounts/:account/verifications"
  | "POST /api/accounts/:account/uses"
  | "DELETE /api/accounts/:account/uses/:use"
  | "POST /api/organizations/:organization/verifications"
  | "POST /api/organizations/:organization/uses"
  | "DELETE /api/organizations/:organization/uses/:use"
> = {
  "GET /api/accounts/:account/standing": async (context, { state }) =>
    context.json(await standingOf(state, subjectOf(context, "account"))),
  "POST /api/accounts/:account/verifications": verify("account"),
  "POST /api/accounts/:account/uses": declare("account"),
  "DELETE /api/accounts/:account/uses/:use": withdraw("account"),
  "POST /api/organizations/:organization/verifications": verify("organization"),
  "POST /api/organizations/:organization/uses": declare("organization"),
  "DELETE /api/organizations/:organization/uses/:use": withdraw("organization"),
};

/** Everything about a subject; empty where nothing is known. */
export async function standingOf({ standing }: State, subject: Subject): Promise<Standing> {
  const [verifications, declarations, history] = await Promise.all([
    standing.verifications(subject),
    standing.declarations(subject),
    standing.history(subject, HISTORY_SHOWN),
  ]);
  return {
    verifications: verifications.map(({ atMs, expiresMs, ...rest }) => ({
      ...rest,
      at: isoTime(atMs),
      expiresAt: isoTimeOrNull(expiresMs),
    })),
    declarations: declarations.map(({ atMs, untilMs, withdrawnMs, ...rest }) => ({
      ...rest,
      at: isoTime(atMs),
      until: isoTimeOrNull(untilMs),
      withdrawnAt: isoTimeOrNull(withdrawnMs),
    })),
    history: history.map(({ atMs, ...rest }) => ({ ...rest, at: isoTime(atMs) })),
  };
}

function verify(kind: SubjectKind): Handler {
  return async (context, services) => {
    const { expiresAt, ...body } = await readBody(context, verificationBody);
    const subject = subjectOf(context, kind);
    const told = { ...body, expiresMs: msOrNull(expiresAt) };
    await services.state.standing.verify(subject, told, recordedBy(context, services));
    return context.json(await standingOf(services.state, subject));
  };
}

function declare(kind: SubjectKind): Handler {
  return async (context, services) => {
    const { until, ...body } = await readBody(context, declarationBody);
    const subject = subjectOf(context, kind);
    const told = { ...body, untilMs: msOrNull(until) };
    await services.state.standing.declare(subject, told, recordedBy(context, services));
    return context.json(await standingOf(services.state, subject));
  };
}

function withdraw(kind: SubjectKind): Handler {
  return async (context, services) => {
    const named = pathPart(context, "use");
    const use = DECLARED_USES.find((each) => each === named);
    if (use === undefined) throw new ApiError("api.not-found", "There is no such use.");
    const subject = subjectOf(context, kind);
    await services.state.standing.withdraw(subject, use, recordedBy(context, services));
    return context.json(await standingOf(services.state, subject));
  };
}

function subjectOf(context: ApiContext, kind: SubjectKind): Subject {
  return { kind, name: pathPart(context, kind) };
}
