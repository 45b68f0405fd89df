/**
 * The icons of this extension, in Lab's colours.
 */
import { LabIcon } from '@jupyterlab/ui-components';

import globe from '../style/icons/globe.svg';
import key from '../style/icons/key.svg';
import lock from '../style/icons/lock.svg';
import people from '../style/icons/people.svg';
import ports from '../style/icons/ports.svg';
import type { Audience } from './words';

export const portsIcon = new LabIcon({ name: 'tensorone:ports', svgstr: ports });

/** Who can open a port. */
export const audienceIcons: Readonly<Record<Audience['kind'], LabIcon>> = {
  me: new LabIcon({ name: 'tensorone:me', svgstr: lock }),
  people: new LabIcon({ name: 'tensorone:people', svgstr: people }),
  'signed-in': new LabIcon({ name: 'tensorone:signed-in', svgstr: key }),
  public: new LabIcon({ name: 'tensorone:public', svgstr: globe })
};
