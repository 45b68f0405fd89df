/**
 * Texts that have little room.
 */
import { readable } from '../words';

/** Lab cuts notifications off after 140 characters; what matters in ours comes after the name. */
const LONGEST = 50;

/** Return a name or reason from outside that leaves room for what is said of it. */
export function brief(text: string): string {
  const plain = readable(text);
  return plain.length > LONGEST ? `${plain.slice(0, LONGEST - 1)}…` : plain;
}
