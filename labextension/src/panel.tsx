/**
 * The sidebar's widget: where React begins, and when the views are in sight.
 */
import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import { lazy, Suspense, type ReactElement } from 'react';

import { portsIcon } from './icons';
import type { Surroundings } from './surroundings';

// What is drawn is loaded when it is first looked at: Lab starts without it.
const Ports = lazy(() => import('./components/ports'));

export class PortsPanel extends ReactWidget {
  private readonly surroundings: Surroundings;
  private unwatch: (() => void) | null = null;
  private wasShown = false;

  constructor(surroundings: Surroundings) {
    super();
    this.surroundings = surroundings;
    const { trans } = surroundings;
    this.id = 'tensorone-ports';
    this.addClass('jp-TensorOne-panel');
    this.title.icon = portsIcon;
    this.title.caption = trans.__('Ports');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('Ports'));
  }

  override dispose(): void {
    this.unwatch?.();
    super.dispose();
  }

  protected override render(): ReactElement | null {
    if (!this.wasShown) {
      return null;
    }
    const { trans } = this.surroundings;
    return (
      <Suspense fallback={<p className="jp-TensorOne-empty">{trans.__('Loading…')}</p>}>
        <Ports surroundings={this.surroundings} inSight={this.unwatch !== null} />
      </Suspense>
    );
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.look();
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    if (this.isVisible) {
      this.look();
    }
  }

  protected override onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this.unwatch?.();
    this.unwatch = null;
    this.update();
  }

  private look(): void {
    this.unwatch ??= this.surroundings.model.watch();
    this.wasShown = true;
    this.update();
  }
}
