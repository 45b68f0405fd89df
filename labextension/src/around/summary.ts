/**
 * All exposed services in one line: how many, and how the worst of them does.
 */
import type { TranslationBundle } from '@jupyterlab/translation';

import { problemOf } from '../problems';
import type { IPortsModel } from '../tokens';
import { healthOf, nameOf, type Health } from '../words';
import { brief } from './text';

export interface Summary {
  /** A shape that differs with the tone: colour alone says nothing. */
  readonly shape: string;
  readonly tone: Health['tone'];
  readonly text: string;
  /** The whole story, for a tooltip and for screen readers. */
  readonly title: string;
}

/** How many services the tooltip names. */
const MOST_NAMED = 10;

/** Return what is to be said of everything. */
export function summaryOf(model: IPortsModel, trans: TranslationBundle): Summary {
  const { connection, exposed, info } = model;
  const problem = problemOf(connection, info, trans);
  if (problem) {
    const title = [problem.what, problem.todo].filter(Boolean).join(' ');
    const text = connection.state === 'offline' ? trans.__('Ports: offline') : brief(problem.what);
    return { shape: problem.tone === 'bad' ? '▲' : '○', tone: problem.tone, text, title };
  }
  if (connection.state === 'loading') {
    return { shape: '○', tone: 'neutral', text: trans.__('Ports'), title: trans.__('Loading…') };
  }
  const all = exposed.map(mapping => ({ mapping, health: healthOf(mapping, trans) }));
  const bad = all.filter(({ health }) => health.tone === 'bad').length;
  const count = trans._n('%1 port exposed', '%1 ports exposed', exposed.length);
  const lines = all
    .slice(0, MOST_NAMED)
    .map(({ mapping, health }) => `${brief(nameOf(mapping, trans))}: ${health.word}`);
  const more = all.length > MOST_NAMED ? ['…'] : [];
  const text = bad > 0 ? trans.__('%1, %2 not answering', count, String(bad)) : count;
  const tones = all.map(({ health }) => health.tone);
  return { ...worst(tones), text, title: [text, ...lines, ...more].join('\n') };
}

function worst(tones: readonly Health['tone'][]): Pick<Summary, 'shape' | 'tone'> {
  if (tones.includes('bad')) {
    return { shape: '▲', tone: 'bad' };
  }
  return tones.includes('good') ? { shape: '●', tone: 'good' } : { shape: '○', tone: 'neutral' };
}
