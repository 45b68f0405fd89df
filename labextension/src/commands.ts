/**
 * What the commands without a form of their own do: open, copy, stop, sign out, switch on.
 *
 * Each takes what it is about as an argument, and asks for it where there is none, as when it is
 * chosen in the palette. A link in a notebook's saved output can run any command, so nothing is
 * ended or switched on before a person has pressed a dialog's button.
 */
import { Clipboard, Dialog, InputDialog, Notification, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import type { PortMapping } from './answers';
import { portArgs } from './arguments';
import { ApiError } from './errors';
import type { IPortsModel } from './tokens';
import { audienceOf, isPage, nameOf, readable } from './words';

const SHORTLY = { autoClose: 4000 } as const;

interface Question {
  readonly title: string;
  readonly body: string;
  readonly yes: string;
}

/** What the commands work on. */
export class PortCommands {
  private readonly model: IPortsModel;
  private readonly trans: TranslationBundle;

  constructor(model: IPortsModel, trans: TranslationBundle) {
    this.model = model;
    this.trans = trans;
  }

  /** Say whether what is named can be opened in a browser; what is not named may be. */
  canOpen(args: ReadonlyPartialJSONObject): boolean {
    const mapping = this.model.find(portArgs(args));
    return mapping === undefined || isPage(mapping);
  }

  async openInBrowser(args: ReadonlyPartialJSONObject): Promise<void> {
    const mapping = await this.chosen(args, this.trans.__('Open'));
    const port = mapping?.internal_port;
    if (port != null) {
      // Without `noopener` the page could navigate this one.
      window.open(this.model.api.goUrl(port), '_blank', 'noopener');
    }
  }

  async copyLink(args: ReadonlyPartialJSONObject): Promise<void> {
    const { trans } = this;
    const mapping = await this.chosen(args, trans.__('Copy link'));
    if (!mapping?.url) {
      return;
    }
    Clipboard.copyToSystem(mapping.url);
    const audience = audienceOf(mapping, this.model.info, trans);
    const who = {
      me: trans.__('Only you can open it.'),
      people: trans.__('The people you chose can open it when they have signed in.'),
      'signed-in': trans.__('Anyone who signs in can open it.'),
      public: trans.__('Anyone who has it can open it.')
    }[audience.kind];
    Notification.info(
      trans.__('The address of %1 is copied. %2', nameOf(mapping, trans), who),
      SHORTLY
    );
  }

  async stop(args: ReadonlyPartialJSONObject): Promise<void> {
    const { trans } = this;
    const mapping = await this.chosen(args, trans.__('Stop'));
    if (mapping === undefined) {
      return;
    }
    const others = this.model.sessions.filter(
      session => session.port_id === mapping.id && session.user !== this.model.info?.me
    ).length;
    const ends = trans.__(
      'Its address stops working and its links end. The service itself goes on.'
    );
    const whom = trans._n(
      '%1 other person is signed in.',
      '%1 other people are signed in.',
      others
    );
    const isMeant = await this.confirmed({
      title: trans.__('Stop exposing %1?', nameOf(mapping, trans)),
      body: others > 0 ? `${ends} ${whom}` : ends,
      yes: trans.__('Stop')
    });
    if (isMeant) {
      await this.tried(() => this.model.api.deletePort(mapping.id));
    }
  }

  async signOut(args: ReadonlyPartialJSONObject): Promise<void> {
    const { trans, model } = this;
    const session = model.sessions.find(({ id }) => id === args.session);
    if (session === undefined) {
      return;
    }
    const mapping = model.find({ id: session.port_id });
    const service = mapping ? nameOf(mapping, trans) : session.port_id;
    const isMeant = await this.confirmed({
      title: trans.__('Sign out %1?', readable(session.user)),
      body: trans.__('Open pages of %1 end, and it asks them to sign in again.', service),
      yes: trans.__('Sign out')
    });
    if (isMeant) {
      await this.tried(() => model.api.revokeSession(session.id));
    }
  }

  async switchOn(): Promise<void> {
    const { trans, model } = this;
    const isMeant = await this.confirmed({
      title: trans.__('Switch the proxy on?'),
      body: trans._n(
        '%1 port answers again, for those who could open it before.',
        '%1 ports answer again, each for those who could open it before.',
        model.exposed.length
      ),
      yes: trans.__('Switch on')
    });
    if (isMeant) {
      await this.tried(() => model.api.switchProxy(true));
    }
  }

  private async confirmed(asked: Question): Promise<boolean> {
    const { button } = await showDialog({
      title: asked.title,
      body: asked.body,
      buttons: [
        Dialog.cancelButton({ label: this.trans.__('Cancel') }),
        Dialog.warnButton({ label: asked.yes })
      ]
    });
    return button.accept;
  }

  /** Return what is meant; ask for it if that is not said. Undefined if it is not exposed. */
  async chosen(args: ReadonlyPartialJSONObject, title: string): Promise<PortMapping | undefined> {
    const { trans, model } = this;
    const named = portArgs(args);
    if (named.id !== undefined || named.port !== undefined) {
      const mapping = model.find(named);
      if (mapping === undefined) {
        Notification.warning(trans.__('This port is no longer exposed.'), SHORTLY);
      }
      return mapping;
    }
    const labels = model.exposed.map(
      mapping => `${nameOf(mapping, trans)} (${mapping.internal_port ?? ''})`
    );
    if (labels.length === 0) {
      Notification.info(trans.__('Nothing is exposed.'), SHORTLY);
      return undefined;
    }
    const { value } = await InputDialog.getItem({ title, items: labels });
    return value === null ? undefined : model.exposed[labels.indexOf(value)];
  }

  /** Do something; what is refused is told, and the model asks anew. */
  private async tried(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof ApiError)) {
        throw error;
      }
      const fields = error.fields.map(({ message }) => message).join(', ');
      const said = [error.message, fields, error.suggestion].filter(Boolean).join(' ');
      Notification.error(said, { autoClose: false });
    }
    await this.model.refresh();
  }
}
