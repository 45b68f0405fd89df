/**
 * An exposed page in a tab of Lab: the page in a sandboxed frame, or why it is not there.
 *
 * The frame opens `go/`, which signs the person in for this frame, and says in it what is wrong with
 * certificate or service. It is filled only while the mapping is known: what is not exposed must not
 * be exposed by looking at a tab that was restored.
 */
import { MainAreaWidget } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { launchIcon, ReactWidget, refreshIcon, Toolbar } from '@jupyterlab/ui-components';
import { Signal } from '@lumino/signaling';
import { useRef, useState, useSyncExternalStore, type ReactElement } from 'react';

import type { PortMapping } from '../answers';
import { IconButton } from '../components/controls';
import { portsIcon } from '../icons';
import { problemOf } from '../problems';
import type { IPortsModel } from '../tokens';
import { isPage, nameOf, readable } from '../words';

/**
 * What a page may do: all that a page does, but not lead Lab's own tab elsewhere. Its origin is
 * another than Lab's, so it cannot take the sandbox off.
 */
const SANDBOX = [
  'allow-scripts',
  'allow-same-origin',
  'allow-forms',
  'allow-popups',
  'allow-popups-to-escape-sandbox',
  'allow-downloads',
  'allow-modals'
].join(' ');

/** What a tab needs. */
export interface PageOptions {
  readonly model: IPortsModel;
  readonly trans: TranslationBundle;
  /** The mapping. */
  readonly id: string;
  /** What it was called when the layout was saved. */
  readonly name: string;
  /** Show the list of ports. */
  readonly showPorts: () => void;
}

class PageContent extends ReactWidget {
  readonly reloaded = new Signal<this, void>(this);
  private readonly options: PageOptions;
  private reloads = 0;

  constructor(options: PageOptions) {
    super();
    this.options = options;
    this.addClass('jp-TensorOne-page');
  }

  reload(): void {
    this.reloads += 1;
    this.reloaded.emit();
  }

  protected override render(): ReactElement {
    const { model } = this.options;
    return (
      <Page
        {...this.options}
        subscribe={redraw => {
          model.changed.connect(redraw);
          this.reloaded.connect(redraw);
          return () => {
            model.changed.disconnect(redraw);
            this.reloaded.disconnect(redraw);
          };
        }}
        reloads={() => this.reloads}
      />
    );
  }
}

interface PageProps extends PageOptions {
  readonly subscribe: (redraw: () => void) => () => void;
  readonly reloads: () => number;
}

/** What fills the tab. */
export function Page({
  model,
  trans,
  id,
  name,
  showPorts,
  subscribe,
  reloads
}: PageProps): ReactElement {
  const mapping = useSyncExternalStore(subscribe, () => model.find({ id }));
  const round = useSyncExternalStore(subscribe, reloads);
  const connection = useSyncExternalStore(subscribe, () => model.connection);
  const lastName = useRef(name);
  if (mapping) {
    lastName.current = nameOf(mapping, trans);
  }
  const port = mapping?.internal_port;
  if (mapping && port != null && isPage(mapping)) {
    return (
      <>
        {model.info?.kind === 'api' && <MayForbid address={model.api.goUrl(port)} trans={trans} />}
        <Frame
          key={`${port} ${round}`}
          address={model.api.goUrl(port)}
          title={nameOf(mapping, trans)}
          trans={trans}
        />
      </>
    );
  }
  if (connection.state === 'loading') {
    return <p role="status">{trans.__('Loading…')}</p>;
  }
  const problem = problemOf(connection, model.info, trans);
  return (
    <div className="jp-TensorOne-note" role="status">
      <p>
        {problem
          ? `${problem.what} ${problem.todo}`
          : trans.__('%1 is no longer exposed.', readable(lastName.current))}
      </p>
      <button type="button" className="jp-TensorOne-button" onClick={showPorts}>
        {trans.__('Show Ports')}
      </button>
    </div>
  );
}

interface FrameProps {
  readonly address: string;
  readonly title: string;
  readonly trans: TranslationBundle;
}

function Frame({ address, title, trans }: FrameProps): ReactElement {
  const [loaded, setLoaded] = useState(false);
  return (
    <>
      {!loaded && <p role="status">{trans.__('Opening %1…', title)}</p>}
      <iframe
        title={title}
        src={address}
        sandbox={SANDBOX}
        aria-busy={!loaded}
        onLoad={() => setLoaded(true)}
      />
    </>
  );
}

/** Nothing tells whether a page forbids frames; a gateway of ours lifts that for Lab, others do not. */
function MayForbid({ address, trans }: Pick<FrameProps, 'address' | 'trans'>): ReactElement {
  return (
    <p className="jp-TensorOne-hint">
      {trans.__('If this stays empty, the service does not let itself be shown here.')}{' '}
      <a href={address} target="_blank" rel="noopener noreferrer">
        {trans.__('Open it in a browser tab')}
      </a>
    </p>
  );
}

/** The tab: the page, and above it reload, the address and the way out. */
export class PageTab extends MainAreaWidget<PageContent> {
  readonly mappingId: string;
  private readonly model: IPortsModel;
  private readonly trans: TranslationBundle;
  private lastName: string;
  private lastPort: number | null = null;

  constructor(options: PageOptions) {
    // Lab's usual toolbar folds what is as wide as an address.
    super({ content: new PageContent(options), toolbar: new Toolbar() });
    const { model, trans } = options;
    this.model = model;
    this.trans = trans;
    this.mappingId = options.id;
    this.lastName = options.name;
    this.id = tabId(options.id);
    this.addClass('jp-TensorOne-tab');
    this.title.icon = portsIcon;
    this.title.closable = true;
    this.toolbar.node.setAttribute('aria-label', trans.__('Exposed port'));
    const reload = (): void => this.content.reload();
    this.toolbar.addItem('bar', new Bar(model, trans, options.id, reload));
    this.onChanged();
    model.changed.connect(this.onChanged, this);
  }

  /** What the tab shows, or showed last. */
  get name(): string {
    return this.lastName;
  }

  override dispose(): void {
    this.model.changed.disconnect(this.onChanged, this);
    super.dispose();
  }

  private get mapping(): PortMapping | undefined {
    return this.model.find({ id: this.mappingId });
  }

  private onChanged(): void {
    const { mapping, trans } = this;
    if (mapping) {
      this.lastName = nameOf(mapping, trans);
      this.lastPort = mapping.internal_port ?? null;
    }
    this.title.label = readable(this.lastName);
    this.title.caption = [
      readable(this.lastName),
      this.lastPort === null ? '' : trans.__('port %1', String(this.lastPort)),
      mapping?.url ?? ''
    ]
      .filter(Boolean)
      .join('\n');
  }
}

/** Reload, the address of the page, and the way out of Lab. */
class Bar extends ReactWidget {
  private readonly model: IPortsModel;
  private readonly trans: TranslationBundle;
  private readonly mappingId: string;
  private readonly reload: () => void;

  constructor(model: IPortsModel, trans: TranslationBundle, id: string, reload: () => void) {
    super();
    this.reload = reload;
    this.model = model;
    this.trans = trans;
    this.mappingId = id;
    this.addClass('jp-TensorOne-address');
    model.changed.connect(this.update, this);
  }

  override dispose(): void {
    this.model.changed.disconnect(this.update, this);
    super.dispose();
  }

  protected override render(): ReactElement | null {
    const { model, trans } = this;
    const mapping = model.find({ id: this.mappingId });
    const port = mapping?.internal_port;
    if (!mapping || port == null) {
      return null;
    }
    return (
      <>
        <IconButton icon={refreshIcon} label={trans.__('Reload the page')} onClick={this.reload} />
        <bdi>{mapping.url}</bdi>
        <a
          href={model.api.goUrl(port)}
          target="_blank"
          rel="noopener noreferrer"
          title={trans.__('Open it in a tab of the browser')}
        >
          <launchIcon.react tag="span" elementSize="normal" aria-hidden="true" />
          {trans.__('Open outside')}
        </a>
      </>
    );
  }
}

/** Return the id of the tab of a mapping. */
export function tabId(id: string): string {
  return `tensorone-page-${id}`;
}
