// A sheet at the right for one item of the list behind it; Escape, the button or a click outside close it.
import type { ReactNode } from "react";
import { Dialog } from "react-aria-components/Dialog";
import { Heading } from "react-aria-components/Heading";
import { Modal, ModalOverlay } from "react-aria-components/Modal";

export function Drawer({
  title,
  close,
  children,
}: {
  title: ReactNode;
  close: () => void;
  children: ReactNode;
}): ReactNode {
  return (
    <ModalOverlay
      isOpen
      isDismissable
      className="drawer-backdrop"
      onOpenChange={(isOpen) => {
        if (!isOpen) close();
      }}
    >
      <Modal className="drawer">
        <Dialog className="drawer-content">
          <header className="drawer-header">
            <Heading slot="title">{title}</Heading>
            <button type="button" className="button" onClick={close} aria-label="Close">
              ✕
            </button>
          </header>
          <div className="drawer-body">{children}</div>
        </Dialog>
      </Modal>
    </ModalOverlay>
  );
}
