/**
 * Notifications: a port was found, was exposed by itself, or a service is in trouble.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { Notices } from '../around/notices';
import { Offers } from '../around/offers';
import { IPreferences } from '../around/preferences';
import { Toasts } from '../around/toasts';
import { DOMAIN, EXTENSION, IPortsModel } from '../tokens';

export const toastPlugin: JupyterFrontEndPlugin<void> = {
  id: `${EXTENSION}:toast`,
  description: 'Asks what to do with a port that was found, and tells of services in trouble.',
  autoStart: true,
  requires: [IPortsModel, IPreferences],
  optional: [ITranslator],
  activate: (
    app: JupyterFrontEnd,
    model: IPortsModel,
    preferences: IPreferences,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load(DOMAIN);
    // Other pages of this browser show the same question: one answer is enough.
    const pages = new BroadcastChannel(`${EXTENSION}:${model.api.goUrl(0)}`);
    const toasts = new Toasts({
      model,
      preferences,
      trans,
      commands: app.commands,
      answered: port => pages.postMessage(port)
    });
    const offers = new Offers(model, preferences, toasts.show);
    pages.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (typeof data === 'number') {
        offers.answered(data);
        void preferences.reload();
      }
    };
    new Notices(model, preferences, trans, (...what) => toasts.tell(...what));
  }
};
