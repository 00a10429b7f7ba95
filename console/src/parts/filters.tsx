// Filters above a list. They hold no state: the address bar does, and each change goes there.
import { type ReactNode, useEffect, useRef, useState } from "react";
import { Button } from "react-aria-components/Button";
import { Label } from "react-aria-components/Label";
import { ListBox, ListBoxItem } from "react-aria-components/ListBox";
import { Popover } from "react-aria-components/Popover";
import { Select, SelectValue } from "react-aria-components/Select";

const ALL = "all";

/** One of several values, or all of them. */
export function Choice<Value extends string>({
  label,
  value,
  options,
  change,
}: {
  label: string;
  value: Value | undefined;
  options: readonly Value[];
  change: (value: Value | undefined) => void;
}): ReactNode {
  return (
    <Select
      className="choice"
      value={value ?? ALL}
      onChange={(key) => change(options.find((option) => option === key))}
    >
      <Label className="label">{label}</Label>
      <Button className="button">
        <SelectValue />
        <span aria-hidden="true" className="caret">
          ▾
        </span>
      </Button>
      <Popover className="popover" offset={4}>
        <ListBox className="options">
          {[ALL, ...options].map((option) => (
            <ListBoxItem key={option} id={option} textValue={option} className="option">
              {option}
            </ListBoxItem>
          ))}
        </ListBox>
      </Popover>
    </Select>
  );
}

/** Waits for a pause in typing before it asks the server. */
const TYPING_PAUSE_MS = 250;

export function SearchBox({
  label,
  value,
  change,
}: {
  label: string;
  value: string | undefined;
  change: (value: string | undefined) => void;
}): ReactNode {
  const [typed, setTyped] = useState(value ?? "");
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => {
    setTyped(value ?? "");
    return () => clearTimeout(timer.current);
  }, [value]);
  return (
    <label className="search">
      <span>{label}</span>
      <input
        type="search"
        value={typed}
        maxLength={200}
        spellCheck={false}
        autoComplete="off"
        onChange={(event) => {
          const text = event.target.value;
          setTyped(text);
          clearTimeout(timer.current);
          timer.current = setTimeout(() => change(text === "" ? undefined : text), TYPING_PAUSE_MS);
        }}
      />
    </label>
  );
}
