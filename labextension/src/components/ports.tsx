/**
 * Everything in the sidebar.
 */
import type { ReactElement } from 'react';

import { usePart } from '../hooks';
import type { Surroundings } from '../surroundings';

export default function Ports({ model, trans }: Surroundings): ReactElement {
  const exposed = usePart(model, m => m.exposed);
  return (
    <ul aria-label={trans.__('Exposed')}>
      {exposed.map(mapping => (
        <li key={mapping.id}>{mapping.description}</li>
      ))}
    </ul>
  );
}
