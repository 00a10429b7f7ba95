// Tabs whose selection lives in the address bar.
import type { ReactNode } from "react";
import { Tab, TabList, TabPanel, Tabs } from "react-aria-components/Tabs";
import { exact } from "../format.ts";

export function ViewTabs<Id extends string>({
  label,
  tabs,
  selected,
  select,
}: {
  label: string;
  tabs: readonly {
    readonly id: Id;
    readonly title: string;
    readonly count?: number;
    readonly content: ReactNode;
  }[];
  selected: Id;
  select: (id: Id) => void;
}): ReactNode {
  return (
    <Tabs
      className="tabs"
      selectedKey={selected}
      onSelectionChange={(key) => {
        const tab = tabs.find(({ id }) => id === key);
        if (tab !== undefined && tab.id !== selected) select(tab.id);
      }}
    >
      <TabList aria-label={label} className="tab-list">
        {tabs.map(({ id, title, count }) => (
          <Tab key={id} id={id} className="tab">
            {title} {count !== undefined && <span className="count">{exact(count)}</span>}
          </Tab>
        ))}
      </TabList>
      {tabs.map(({ id, content }) => (
        <TabPanel key={id} id={id} className="tab-panel">
          {content}
        </TabPanel>
      ))}
    </Tabs>
  );
}
