/**
 * The settings page of ports, for all others as `IPreferences`.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ISettingRegistry } from '@jupyterlab/settingregistry';

import { IPreferences, SETTINGS, StoredPreferences } from '../around/preferences';

export const settingsPlugin: JupyterFrontEndPlugin<IPreferences> = {
  id: SETTINGS,
  description: 'Provides what a person wants of exposed ports.',
  autoStart: true,
  provides: IPreferences,
  optional: [ISettingRegistry],
  activate: (_: JupyterFrontEnd, registry: ISettingRegistry | null) => {
    const preferences = new StoredPreferences(registry);
    preferences.load().catch((reason: unknown) => {
      // Everything works with the defaults; this is for who looks why a setting does nothing.
      // eslint-disable-next-line no-console -- there is nobody to ask while Lab starts
      console.warn('The settings of ports cannot be loaded.', reason);
    });
    return preferences;
  }
};
