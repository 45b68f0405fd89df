/**
 * A dialog with a form in it that stays open until the server has taken what it says.
 */
import { Dialog, ReactWidget } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { Widget } from '@lumino/widgets';
import type { ReactElement } from 'react';

/** What a form in a dialog does when a button is pressed. */
export interface Steps {
  /** Do what the form says; true when the dialog may close. */
  submit(): Promise<boolean>;
  /** Go one step back; false if there is none, and the dialog closes. */
  back(): boolean;
}

/** What the accepting button is: as always, a step to think about, or all that is left to do. */
export type Kind = 'default' | 'warn' | 'last';

/** What a form may have its dialog do. */
export interface Host {
  /** Say what the buttons do from now on. */
  attach(steps: Steps): void;
  /** Call the button that accepts something else. */
  label(text: string, kind?: Kind): void;
}

/** What a dialog is made of. */
export interface FormDialogOptions {
  readonly title: string;
  /** What the button says that accepts. */
  readonly accept: string;
  readonly trans: TranslationBundle;
  readonly body: (host: Host) => ReactElement;
}

/** Show a form; true once it was accepted, false if it was closed without. */
export async function showForm(options: FormDialogOptions): Promise<boolean> {
  const { button } = await new FormDialog(options).launch();
  return button.accept;
}

const ACCEPT = 1;
/** After which a request is worth a word, in milliseconds. */
const PATIENCE = 400;

class FormDialog extends Dialog<null> implements Host {
  private readonly trans: TranslationBundle;
  private steps: Steps | null = null;
  private busy = false;
  private text: string;

  constructor({ title, accept, trans, body }: FormDialogOptions) {
    const later: { host: Host | null } = { host: null };
    const host: Host = {
      attach: steps => later.host?.attach(steps),
      label: (text, kind) => later.host?.label(text, kind)
    };
    super({
      title,
      body: ReactWidget.create(body(host)),
      buttons: [
        Dialog.cancelButton({ label: trans.__('Cancel') }),
        Dialog.okButton({ label: accept })
      ],
      defaultButton: ACCEPT,
      focusNodeSelector: 'input, select, textarea',
      renderer: new PlainRenderer()
    });
    later.host = this;
    this.trans = trans;
    this.text = accept;
    this.addClass('jp-TensorOne-dialog');
    this.node.setAttribute('role', 'dialog');
    this.node.setAttribute('aria-modal', 'true');
    this.node.setAttribute('aria-label', title);
  }

  attach(steps: Steps): void {
    this.steps = steps;
  }

  label(text: string, kind: Kind = 'default'): void {
    this.text = text;
    this.say('accept', text);
    this.say('reject', kind === 'warn' ? this.trans.__('Back') : this.trans.__('Cancel'));
    this.button('accept')?.classList.toggle('jp-mod-warn', kind === 'warn');
    this.button('reject')?.toggleAttribute('hidden', kind === 'last');
  }

  /** A button was pressed, or Enter in a field. */
  override resolve(index: number = ACCEPT): void {
    if (index !== ACCEPT) {
      this.reject();
    } else if (!this.busy) {
      void this.submit();
    }
  }

  /** Escape, Cancel, or a click beside the dialog. */
  override reject(): void {
    if (!this.steps?.back()) {
      super.reject();
    }
  }

  /** Lab takes every Enter for the default button; not where it means something else, or nothing. */
  protected override _evtKeydown(event: KeyboardEvent): void {
    const { target } = event;
    const inBody = target instanceof Element && target.closest('.jp-Dialog-body') !== null;
    const ownEnter = 'button, summary, a, .jp-TensorOne-question';
    if (event.key === 'Enter' && inBody && target.matches(ownEnter)) {
      return;
    }
    super._evtKeydown(event);
  }

  private button(which: 'accept' | 'reject'): HTMLButtonElement | null {
    return this.node.querySelector<HTMLButtonElement>(`.jp-Dialog-footer .jp-mod-${which}`);
  }

  private say(which: 'accept' | 'reject', text: string): void {
    const label = this.button(which)?.querySelector('.jp-Dialog-buttonLabel');
    if (label) {
      label.textContent = text;
      label.setAttribute('aria-label', text);
    }
  }

  private async submit(): Promise<void> {
    this.setBusy(true);
    const told = setTimeout(() => this.say('accept', this.trans.__('One moment…')), PATIENCE);
    let done = false;
    try {
      done = (await this.steps?.submit()) ?? true;
    } finally {
      clearTimeout(told);
      if (!this.isDisposed) {
        this.say('accept', this.text);
        this.setBusy(false);
      }
    }
    if (done && !this.isDisposed) {
      super.resolve(ACCEPT);
    }
  }

  private setBusy(busy: boolean): void {
    this.busy = busy;
    this.node.setAttribute('aria-busy', String(busy));
    this.button('accept')?.classList.toggle('jp-TensorOne-busy', busy);
  }
}

/** Lab's own would move React's nodes about, to put a frame around each select. */
class PlainRenderer extends Dialog.Renderer {
  override createBody(value: Dialog.Body<unknown>): Widget {
    const body = value instanceof ReactWidget ? value : super.createBody(value);
    body.addClass('jp-Dialog-body');
    return body;
  }
}
