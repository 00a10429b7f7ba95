// A small form that asks the server for one change, says when it was refused and why, and clears itself when it is done.
import { useMutation } from "@tanstack/react-query";
import { type ReactNode, useId, useRef } from "react";

export interface Field {
  readonly name: string;
  readonly label: string;
  /** `choices`: several of the options. `day`: a date. */
  readonly kind: "text" | "long" | "choice" | "choices" | "day" | "number";
  readonly options?: readonly string[];
  readonly initial?: string | number;
  readonly required?: boolean;
  readonly maxLength?: number;
  readonly min?: number;
  readonly max?: number;
}

/** What was typed, trimmed; empty fields are absent. */
export class Values {
  readonly #data: FormData;

  constructor(data: FormData) {
    this.#data = data;
  }

  text(name: string): string | undefined {
    const value = String(this.#data.get(name) ?? "").trim();
    return value === "" ? undefined : value;
  }

  /** One of the options; the browser lets nothing else be chosen. */
  choice<Value extends string>(name: string, options: readonly [Value, ...Value[]]): Value {
    return options.find((option) => option === this.text(name)) ?? options[0];
  }

  all(name: string): string[] {
    return this.#data.getAll(name).map(String);
  }

  /** The end of the day, ISO 8601; null where none is given. */
  endOfDay(name: string): string | null {
    const day = this.text(name);
    return day === undefined ? null : new Date(`${day}T23:59:59Z`).toISOString();
  }
}

export function ActionForm({
  label,
  fields,
  submit,
  run,
  isFolded = false,
}: {
  /** Names the form: read out, and shown where it is folded. */
  label: string;
  fields: readonly Field[];
  submit: string;
  run: (values: Values) => Promise<unknown>;
  /** Opens at a click: for forms that stand beside what people came to read. */
  isFolded?: boolean;
}): ReactNode {
  const form = useRef<HTMLFormElement>(null);
  const action = useMutation({ mutationFn: run, onSuccess: () => form.current?.reset() });
  const shown = (
    <form
      ref={form}
      aria-label={label}
      className="pad form action-form"
      onSubmit={(event) => {
        event.preventDefault();
        action.mutate(new Values(new FormData(event.currentTarget)));
      }}
    >
      {fields.map((field) => (
        <FormField key={field.name} field={field} />
      ))}
      {action.isError && (
        <p role="alert" className="bad-text">
          {action.error.message}
        </p>
      )}
      <button type="submit" className="button primary" disabled={action.isPending}>
        {action.isPending ? "Recording…" : submit}
      </button>
    </form>
  );
  if (!isFolded) return shown;
  return (
    <details>
      <summary>{label}</summary>
      {shown}
    </details>
  );
}

function FormField({ field }: { field: Field }): ReactNode {
  const id = useId();
  const { name, label, kind, options = [], initial, required = false, maxLength = 512, min, max } = field;
  if (kind === "choices") {
    return (
      <fieldset className="choices">
        <legend>{label}</legend>
        {options.map((option) => (
          <label key={option}>
            <input type="checkbox" name={name} value={option} />
            <span>{option}</span>
          </label>
        ))}
      </fieldset>
    );
  }
  const shared = { id, name, required, defaultValue: initial };
  return (
    <div>
      <label htmlFor={id} className="label">
        {label}
      </label>
      {kind === "choice" && (
        <select {...shared}>
          {options.map((option) => (
            <option key={option}>{option}</option>
          ))}
        </select>
      )}
      {kind === "long" && <textarea {...shared} rows={2} maxLength={maxLength} />}
      {kind === "text" && (
        <input {...shared} type="text" maxLength={maxLength} autoComplete="off" spellCheck={false} />
      )}
      {kind === "day" && <input {...shared} type="date" />}
      {kind === "number" && <input {...shared} type="number" min={min} max={max} />}
    </div>
  );
}
