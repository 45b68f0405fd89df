/**
 * Opens exposed pages in tabs of Lab, and has them come back with the layout.
 */
import {
  ILabShell,
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { Notification, WidgetTracker } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator, type TranslationBundle } from '@jupyterlab/translation';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { PORT_ARGS } from '../around/args';
import type { PageTab } from '../around/page';
import { portArgs } from '../arguments';
import { PortCommands } from '../commands';
import { portsIcon } from '../icons';
import { CommandIDs, DOMAIN, EXTENSION, IPortsModel } from '../tokens';
import { audienceOf, healthOf, isPage, nameOf, readable } from '../words';

/** Opens tabs. */
class Tabs {
  private readonly app: JupyterFrontEnd;
  private readonly model: IPortsModel;
  private readonly trans: TranslationBundle;
  private readonly ports: PortCommands;
  private readonly tracker = new WidgetTracker<PageTab>({ namespace: 'tensorone-pages' });

  constructor(app: JupyterFrontEnd, model: IPortsModel, trans: TranslationBundle) {
    this.app = app;
    this.model = model;
    this.trans = trans;
    this.ports = new PortCommands(model, trans);
  }

  restore(restorer: ILayoutRestorer): void {
    void restorer.restore(this.tracker, {
      command: CommandIDs.open,
      args: tab => ({ id: tab.mappingId, name: tab.name }),
      name: tab => tab.mappingId
    });
  }

  /** Open what is named, or what the person chooses. Never exposes anything. */
  async open(args: ReadonlyPartialJSONObject): Promise<PageTab | undefined> {
    const { id, name } = args;
    if (this.model.connection.state === 'loading' && typeof id === 'string') {
      // The layout comes back before anything was asked for; the tab waits for the answer.
      return this.show(id, typeof name === 'string' ? readable(name) : this.trans.__('Port'));
    }
    const { trans } = this;
    const mapping = await this.ports.chosen(args, trans.__('Open'));
    if (mapping === undefined) {
      return undefined;
    }
    if (!isPage(mapping)) {
      Notification.info(
        trans.__('%1 is no web page. Its address is %2.', nameOf(mapping, trans), mapping.url ?? '')
      );
      return undefined;
    }
    return this.show(mapping.id, nameOf(mapping, trans));
  }

  private async show(id: string, name: string): Promise<PageTab> {
    const { app, model, trans, tracker } = this;
    const { PageTab } = await import('../around/page');
    let tab = tracker.find(known => known.mappingId === id);
    if (!tab) {
      const showPorts = (): void => void app.commands.execute(CommandIDs.showPanel);
      tab = new PageTab({ model, trans, id, name, showPorts });
      app.shell.add(tab, 'main');
      await tracker.add(tab);
      const { title } = tab;
      title.changed.connect(() => void (tab && tracker.save(tab)));
    }
    app.shell.activateById(tab.id);
    return tab;
  }
}

export const tabPlugin: JupyterFrontEndPlugin<void> = {
  id: `${EXTENSION}:tab`,
  description: 'Opens exposed pages in tabs.',
  autoStart: true,
  requires: [IPortsModel],
  optional: [ITranslator, ILayoutRestorer, ILabShell],
  activate: (
    app: JupyterFrontEnd,
    model: IPortsModel,
    translator: ITranslator | null,
    restorer: ILayoutRestorer | null,
    labShell: ILabShell | null
  ) => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    const tabs = new Tabs(app, model, trans);
    app.commands.addCommand(CommandIDs.open, {
      label: args => {
        const mapping = model.find(portArgs(args));
        if (args.isMenu === true) {
          return labShell ? trans.__('Open in a Tab') : trans.__('Open');
        }
        return mapping ? nameOf(mapping, trans) : trans.__('Open an Exposed Port…');
      },
      caption: args => {
        const mapping = model.find(portArgs(args));
        return mapping
          ? [
              `${nameOf(mapping, trans)}: ${healthOf(mapping, trans).word}`,
              mapping.url ?? '',
              audienceOf(mapping, model.info, trans).text
            ].join('\n')
          : trans.__('Show an exposed page');
      },
      icon: args => (args.isPalette === true ? undefined : portsIcon),
      describedBy: { args: PORT_ARGS },
      isEnabled: args => {
        const mapping = model.find(portArgs(args));
        return mapping === undefined || isPage(mapping);
      },
      // Notebook 7 has no tabs but the browser's.
      execute: args =>
        labShell ? tabs.open(args) : app.commands.execute(CommandIDs.openInBrowser, args)
    });
    if (labShell && restorer) {
      tabs.restore(restorer);
    }
  }
};
