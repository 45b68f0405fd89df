/**
 * Buttons as Lab has them, and names.
 */
import type { LabIcon } from '@jupyterlab/ui-components';
import type { MouseEvent, ReactElement, ReactNode } from 'react';

interface ButtonProps {
  readonly onClick: (event: MouseEvent<HTMLButtonElement>) => void;
  readonly label?: string;
  readonly children?: ReactNode;
  readonly className?: string;
  readonly disabled?: boolean;
}

/** A button with words on it. */
export function TextButton({
  onClick,
  label,
  children,
  className,
  disabled
}: ButtonProps): ReactElement {
  return (
    <button
      type="button"
      className={`jp-TensorOne-button ${className ?? ''}`}
      aria-label={label}
      title={label}
      disabled={disabled}
      onClick={onClick}
    >
      {children}
    </button>
  );
}

interface IconButtonProps {
  readonly icon: LabIcon;
  readonly label: string;
  readonly onClick: (event: MouseEvent<HTMLButtonElement>) => void;
  readonly hasMenu?: boolean;
}

/** A button with a picture on it; its label is said, and shown under the pointer. */
export function IconButton({ icon, label, onClick, hasMenu }: IconButtonProps): ReactElement {
  return (
    <button
      type="button"
      className="jp-TensorOne-icon-button"
      aria-label={label}
      aria-haspopup={hasMenu ? 'menu' : undefined}
      title={label}
      onClick={onClick}
    >
      <icon.react tag="span" elementSize="normal" />
    </button>
  );
}

/** A name of any language, in the direction of its own, that takes no more room than there is. */
export function Name({ text }: { text: string }): ReactElement {
  return (
    <span className="jp-TensorOne-name">
      <bdi>{text}</bdi>
    </span>
  );
}
