/**
 * Provides the model that all views share.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';

import { Api } from '../api';
import { ServerEvents } from '../events';
import { PortsModel } from '../model';
import { EXTENSION, IPortsModel } from '../tokens';

export const modelPlugin: JupyterFrontEndPlugin<IPortsModel> = {
  id: `${EXTENSION}:model`,
  description: 'Provides what is exposed and what could be.',
  autoStart: true,
  provides: IPortsModel,
  activate: (app: JupyterFrontEnd) => {
    const { serverSettings } = app.serviceManager;
    const events = new ServerEvents(serverSettings);
    const model = new PortsModel({ api: new Api(serverSettings), events });
    void app.restored.then(() => model.refresh()); // not while Lab itself is starting
    return model;
  }
};
