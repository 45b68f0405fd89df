/**
 * The icons of this extension, in Lab's colours.
 */
import { LabIcon } from '@jupyterlab/ui-components';

import ports from '../style/ports.svg';

export const portsIcon = new LabIcon({ name: 'tensorone:ports', svgstr: ports });
