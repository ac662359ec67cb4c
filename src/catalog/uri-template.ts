import { matchesInOrder } from '../base/patterns.ts';

/**
 * Whether a URI may come from a template: its literal parts appear in order, with something between them.
 *
 * Expressions are not parsed: an over-match only means that the upstream answers «not found» itself.
 * @see https://www.rfc-editor.org/rfc/rfc6570
 */
export function matchesTemplate(template: string, uri: string): boolean {
  const literals = template.split(/\{[^{}]*\}/);
  return matchesInOrder(literals, uri);
}
