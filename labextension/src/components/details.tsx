/**
 * What an exposed service's open row shows below its name.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { useCallback, useId, type ReactElement } from 'react';

import type { DetectedPort, PortMapping } from '../answers';
import { useAsked, useNow } from '../hooks';
import { useSurroundings } from '../surroundings';
import { CommandIDs } from '../tokens';
import { ago, clock, downSince, healthOf, isPage, milliseconds, readable } from '../words';
import { TextButton } from './controls';
import { Plot } from './plot';
import { Requests } from './requests';
import { Sessions } from './sessions';

/** How often the last half hour is counted anew, in milliseconds: it is shown by the minute. */
const HISTORY_INTERVAL = 15_000;

interface DetailsProps {
  readonly mapping: PortMapping;
  readonly origin: DetectedPort | undefined;
}

export function Details({ mapping, origin }: DetailsProps): ReactElement {
  const { trans } = useSurroundings();
  const now = useNow();
  const id = useId();
  return (
    <div className="jp-TensorOne-details">
      <Actions mapping={mapping} />
      <HealthLine mapping={mapping} origin={origin} now={now} />
      <Usage mapping={mapping} />
      <section aria-labelledby={id}>
        <h4 id={id}>{trans.__('Signed in')}</h4>
        <Sessions portId={mapping.id} now={now} />
      </section>
      <Requests portId={mapping.id} />
      <Settings mapping={mapping} now={now} />
    </div>
  );
}

function Actions({ mapping }: { mapping: PortMapping }): ReactElement {
  const { commands, trans } = useSurroundings();
  const run = (command: string) => (): void => {
    void commands.execute(command, { id: mapping.id });
  };
  const hasTab = commands.hasCommand(CommandIDs.open);
  return (
    <div className="jp-TensorOne-actions">
      {isPage(mapping) && (
        <TextButton onClick={run(hasTab ? CommandIDs.open : CommandIDs.openInBrowser)}>
          {trans.__('Open')}
        </TextButton>
      )}
      <TextButton onClick={run(CommandIDs.copyLink)}>{trans.__('Copy link')}</TextButton>
      {commands.hasCommand(CommandIDs.share) && (
        <TextButton onClick={run(CommandIDs.share)}>{trans.__('Share…')}</TextButton>
      )}
    </div>
  );
}

interface HealthLineProps extends DetailsProps {
  readonly now: number;
}

function HealthLine({ mapping, origin, now }: HealthLineProps): ReactElement {
  const { trans } = useSurroundings();
  const health = healthOf(mapping, trans);
  const check = mapping.health_check;
  const checked = ago(check?.last_check, now, trans);
  const since = downSince(mapping);
  if (since === null) {
    const how = checked ? trans.__('%1, checked %2', health.word, checked) : health.word;
    return <p className="jp-TensorOne-fact">{how}</p>;
  }
  const failures = check?.consecutive_failures ?? 1;
  return (
    <div className="jp-TensorOne-problem" role="note">
      <p>
        {trans._n(
          'The last check failed; it was made %2.',
          'The last %1 checks failed; the last one was made %2.',
          failures,
          checked
        )}
      </p>
      <p>{advice(mapping, origin, trans)}</p>
    </div>
  );
}

function advice(
  mapping: PortMapping,
  origin: DetectedPort | undefined,
  trans: TranslationBundle
): string {
  const port = String(mapping.internal_port ?? '?');
  const path = mapping.health_check?.path;
  if (origin && path) {
    const what = readable(path);
    return trans.__(
      'Something listens on port %1, but does not answer %2 as it should.',
      port,
      what
    );
  }
  return origin
    ? trans.__('Something listens on port %1, but does not answer.', port)
    : trans.__('Nothing is seen on port %1: start the service again, or re-point this.', port);
}

function Usage({ mapping }: { mapping: PortMapping }): ReactElement {
  const { model, trans } = useSurroundings();
  const { id } = mapping;
  const { value, error } = useAsked(
    useCallback(() => model.api.history(id), [model, id]),
    HISTORY_INTERVAL
  );
  const usage = mapping.usage_statistics;
  const facts = [
    trans._n('%1 request', '%1 requests', usage?.total_requests ?? 0),
    trans._n('%1 person', '%1 people', usage?.unique_visitors ?? 0),
    milliseconds(usage?.avg_response_time_ms)
  ];
  return (
    <div className="jp-TensorOne-usage">
      {value && <Plot history={value} trans={trans} />}
      {!value && !error && <div className="jp-TensorOne-plot" aria-hidden="true" />}
      <p className="jp-TensorOne-fact">{facts.filter(Boolean).join(' · ')}</p>
    </div>
  );
}

function Settings({ mapping, now }: { mapping: PortMapping; now: number }): ReactElement {
  const { trans } = useSurroundings();
  const id = useId();
  const { health_check: check, access_control: access } = mapping;
  const limit = access?.rate_limit?.requests_per_minute;
  const facts: readonly (readonly [string, string | null | undefined])[] = [
    [trans.__('Address'), mapping.url],
    [trans.__('Domain'), mapping.custom_domain],
    [trans.__('People'), access?.allowed_users?.join(', ')],
    [trans.__('Addresses'), access?.ip_whitelist?.join(', ')],
    [trans.__('Limit'), limit == null ? null : trans.__('%1 requests a minute', String(limit))],
    [trans.__('Check'), checkText(check, trans)],
    [trans.__('Stack'), mapping.stack],
    [trans.__('Since'), mapping.created_at ? clock(mapping.created_at, now) : null],
    [trans.__('Until'), mapping.expires_at ? clock(mapping.expires_at, now) : null]
  ];
  return (
    <section aria-labelledby={id}>
      <h4 id={id}>{trans.__('Settings')}</h4>
      <dl className="jp-TensorOne-facts">
        {facts.map(([name, value]) =>
          value ? (
            <div key={name}>
              <dt>{name}</dt>
              <dd>
                <bdi>{readable(value)}</bdi>
              </dd>
            </div>
          ) : null
        )}
      </dl>
    </section>
  );
}

function checkText(check: PortMapping['health_check'], trans: TranslationBundle): string {
  if (!check || check.enabled === false) {
    return trans.__('none');
  }
  const every = String(check.interval_seconds ?? 30);
  return check.path
    ? trans.__('%1 every %2 s', check.path, every)
    : trans.__('a connection every %1 s', every);
}
