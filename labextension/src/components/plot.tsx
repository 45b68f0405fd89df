/**
 * The last half hour of a service as a small picture, drawn like the one in notebooks.
 *
 * Above, a bar for each minute, its failed part crossed and of another colour, and the response
 * time as a line; below, a thin line while the service was well and a thick one while it was not.
 */
import { memo, type ReactElement } from 'react';
import type { TranslationBundle } from '@jupyterlab/translation';

import type { HistoryMinute, HistorySpan, PortHistory } from '../answers';
import { clock, milliseconds, readable } from '../words';

const STEP = 8;
const BAR = 6;
const HIGH = 32;
const STRIP = HIGH + 7;

interface PlotProps {
  readonly history: PortHistory;
  readonly trans: TranslationBundle;
}

export const Plot = memo(function Plot({ history, trans }: PlotProps): ReactElement {
  const { minutes, health } = history;
  const wide = minutes.length * STEP;
  const most = Math.max(1, ...minutes.map(minute => minute.requests));
  const slowest = Math.max(1, ...minutes.map(minute => minute.median_ms ?? 0));
  const times = minutes.flatMap((minute, i) =>
    minute.median_ms == null
      ? []
      : [`${i * STEP + BAR / 2},${(HIGH - (HIGH - 3) * (minute.median_ms / slowest)).toFixed(1)}`]
  );
  return (
    <svg
      className="jp-TensorOne-plot"
      role="img"
      aria-label={summary(history, trans)}
      viewBox={`0 0 ${wide} ${STRIP + 4}`}
      preserveAspectRatio="none"
    >
      {minutes.map((minute, i) => (
        <Bar key={minute.start} minute={minute} left={i * STEP} most={most} trans={trans} />
      ))}
      <polyline className="jp-TensorOne-times" points={times.join(' ')} />
      <line className="jp-TensorOne-ground" x1={0} x2={wide} y1={HIGH} y2={HIGH} />
      {health.map(span => (
        <Strip key={span.start} span={span} minutes={minutes} wide={wide} trans={trans} />
      ))}
    </svg>
  );
});

/** Say in one sentence what the picture shows. */
export function summary({ minutes, cut }: PortHistory, trans: TranslationBundle): string {
  const total = minutes.reduce((sum, minute) => sum + minute.requests, 0);
  const failed = minutes.reduce((sum, minute) => sum + minute.failed, 0);
  if (total === 0) {
    return trans.__('No request in the last %1 min', String(minutes.length));
  }
  const count = cut ? trans.__('more than %1', String(total)) : String(total);
  return trans.__(
    '%1 requests in the last %2 min, %3 failed',
    count,
    String(minutes.length),
    String(failed)
  );
}

interface BarProps {
  readonly minute: HistoryMinute;
  readonly left: number;
  readonly most: number;
  readonly trans: TranslationBundle;
}

function Bar({ minute, left, most, trans }: BarProps): ReactElement {
  const { requests, failed } = minute;
  return (
    <g>
      <title>{minuteTitle(minute, trans)}</title>
      {/* All of the minute's column can be pointed at, also where there is no bar. */}
      <rect x={left} y={0} width={STEP} height={HIGH} fill="transparent" />
      {requests > 0 && <Block className="jp-TensorOne-bar" left={left} part={requests / most} />}
      {failed > 0 && <Block className="jp-TensorOne-failed" left={left} part={failed / most} />}
      {failed > 0 && <path className="jp-TensorOne-cross" d={`M${left + 1} 1l4 4m0 -4l-4 4`} />}
    </g>
  );
}

interface BlockProps {
  readonly className: string;
  readonly left: number;
  readonly part: number;
}

function Block({ className, left, part }: BlockProps): ReactElement {
  const high = Math.max(2, HIGH * part);
  return <rect className={className} x={left} y={HIGH - high} width={BAR} height={high} />;
}

function minuteTitle(minute: HistoryMinute, trans: TranslationBundle): string {
  const when = clock(minute.start);
  if (minute.requests === 0) {
    return trans.__('%1: no request', when);
  }
  const parts = [trans._n('%1 request', '%1 requests', minute.requests)];
  if (minute.failed > 0) {
    parts.push(trans.__('%1 failed', String(minute.failed)));
  }
  if (minute.median_ms != null) {
    parts.push(trans.__('half within %1', milliseconds(minute.median_ms)));
  }
  return `${when}: ${parts.join(', ')}`;
}

interface StripProps {
  readonly span: HistorySpan;
  readonly minutes: readonly HistoryMinute[];
  readonly wide: number;
  readonly trans: TranslationBundle;
}

function Strip({ span, minutes, wide, trans }: StripProps): ReactElement | null {
  const first = Date.parse(minutes[0]?.start ?? '');
  const last = Date.parse(minutes.at(-1)?.start ?? '') + 60_000;
  const place = (moment: string): number => {
    const part = (Date.parse(moment) - first) / (last - first);
    return Math.min(1, Math.max(0, part)) * wide;
  };
  const left = place(span.start);
  if (Number.isNaN(left)) {
    return null;
  }
  return (
    <g>
      <title>{trans.__('%1 from %2', readable(span.word), clock(span.start))}</title>
      <line
        className={`jp-TensorOne-strip jp-mod-${span.tone}`}
        x1={left}
        x2={Math.max(place(span.end), left + 2)}
        y1={STRIP}
        y2={STRIP}
      />
    </g>
  );
}
