/**
 * The button in a notebook's toolbar: the ports of this notebook. Where it is, the settings say.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IToolbarWidgetRegistry, type ISessionContext } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator, type TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget, ToolbarButtonComponent } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { Widget } from '@lumino/widgets';
import type { ReactElement } from 'react';

import { notebookMenu, portsOfNotebook, type NotebookPlace } from '../around/notebook-ports';
import { portsIcon } from '../icons';
import { problemOf } from '../problems';
import { DOMAIN, EXTENSION, IPortsModel } from '../tokens';

/** What a notebook's panel has that matters here. */
interface NotebookLike extends Widget {
  readonly context: { readonly path: string };
  readonly sessionContext: Pick<ISessionContext, 'session' | 'kernelChanged'>;
}

class NotebookButton extends ReactWidget {
  private readonly notebook: NotebookLike;
  private readonly model: IPortsModel;
  private readonly commands: CommandRegistry;
  private readonly trans: TranslationBundle;

  constructor(
    notebook: NotebookLike,
    model: IPortsModel,
    commands: CommandRegistry,
    trans: TranslationBundle
  ) {
    super();
    this.notebook = notebook;
    this.model = model;
    this.commands = commands;
    this.trans = trans;
    this.addClass('jp-TensorOne-notebook');
    model.changed.connect(this.update, this);
    notebook.sessionContext.kernelChanged.connect(this.update, this);
  }

  override dispose(): void {
    this.model.changed.disconnect(this.update, this);
    this.notebook.sessionContext.kernelChanged.disconnect(this.update, this);
    super.dispose();
  }

  protected override render(): ReactElement {
    const { model, trans } = this;
    const { exposed, detected } = portsOfNotebook(model, this.place);
    const problem = problemOf(model.connection, model.info, trans);
    const count = exposed.length + detected.length;
    const label = problem ? '▲' : count > 0 ? String(count) : undefined;
    const tooltip =
      problem?.what ??
      trans.__(
        'Ports of this notebook: %1 exposed, %2 detected',
        String(exposed.length),
        String(detected.length)
      );
    return (
      <ToolbarButtonComponent
        icon={portsIcon}
        tooltip={tooltip}
        onClick={() => this.open()}
        {...(label === undefined ? {} : { label })}
      />
    );
  }

  private get place(): NotebookPlace {
    const { context, sessionContext } = this.notebook;
    return { path: context.path, kernelId: sessionContext.session?.kernel?.id };
  }

  private open(): void {
    const { model, trans, commands, place } = this;
    const menu = notebookMenu({ model, trans, commands, place });
    menu.aboutToClose.connect(() => {
      // The item that was chosen runs after the menu has closed.
      setTimeout(() => menu.dispose(), 0);
    });
    const { left, bottom } = this.node.getBoundingClientRect();
    menu.open(left, bottom);
  }
}

export const toolbarPlugin: JupyterFrontEndPlugin<void> = {
  id: `${EXTENSION}:toolbar`,
  description: 'Adds a button with the ports of a notebook to its toolbar.',
  autoStart: true,
  requires: [IPortsModel],
  optional: [IToolbarWidgetRegistry, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    model: IPortsModel,
    toolbars: IToolbarWidgetRegistry | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    toolbars?.addFactory<NotebookLike>(
      'Notebook',
      'tensorone-ports',
      notebook => new NotebookButton(notebook, model, app.commands, trans)
    );
  }
};
