/**
 * The item of the status bar: how many ports are exposed, and how the worst of them does.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator, type TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { ReactElement } from 'react';

import { summaryOf } from '../around/summary';
import { CommandIDs, DOMAIN, EXTENSION, IPortsModel } from '../tokens';

class StatusItem extends ReactWidget {
  private readonly model: IPortsModel;
  private readonly trans: TranslationBundle;
  private readonly onClick: () => void;

  constructor(model: IPortsModel, trans: TranslationBundle, onClick: () => void) {
    super();
    this.model = model;
    this.trans = trans;
    this.onClick = onClick;
    this.addClass('jp-TensorOne-status');
    model.changed.connect(this.update, this);
  }

  override dispose(): void {
    this.model.changed.disconnect(this.update, this);
    super.dispose();
  }

  protected override render(): ReactElement {
    const { shape, tone, text, title } = summaryOf(this.model, this.trans);
    return (
      <button type="button" title={title} onClick={this.onClick}>
        <span className={`jp-TensorOne-dot jp-mod-${tone}`} aria-hidden="true">
          {shape}
        </span>{' '}
        {text}
      </button>
    );
  }
}

export const statusPlugin: JupyterFrontEndPlugin<void> = {
  id: `${EXTENSION}:status`,
  description: 'Shows in the status bar how exposed ports do.',
  autoStart: true,
  requires: [IPortsModel],
  optional: [IStatusBar, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    model: IPortsModel,
    statusBar: IStatusBar | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    statusBar?.registerStatusItem(statusPlugin.id, {
      item: new StatusItem(model, trans, () => void app.commands.execute(CommandIDs.showPanel)),
      align: 'left',
      rank: 4
    });
  }
};
