import type { Fields } from '../base/fields.ts';
import { Hidden } from './hidden.ts';
import { maskUrl } from './http-target.ts';
import type { Findings } from './imported-entry.ts';
import { hide, shownFrom } from './variables.ts';
import type { Filled } from './variables.ts';

/** A server that is a program, as a file describes it. */
export interface StdioTarget {
  readonly command: Filled;
  readonly args: readonly Filled[];
  readonly env: readonly (readonly [name: string, value: Filled])[];
  readonly cwd?: Filled | undefined;
}

const SECRET_FLAG = /^--?[\w-]*(?:key|token|secret|passw|auth|credential)[\w-]*$/i;
const SECRET_ASSIGNMENT = /^([\w-]*(?:key|token|secret|passw|auth|credential)[\w-]*[=:]).+$/is;

/** The fields of a gateway for a server that is started and spoken to over its standard streams. */
export function stdioFields({ command, args, env, cwd }: StdioTarget, { changes }: Findings): Fields {
  const named = env.filter(([name, { text, template }]) => {
    if ((text ?? template) !== '') return true;
    changes.push(`the variable ${name} of its environment is left out: it is empty`);
    return false;
  });
  if (args.some(({ sources }) => sources.length > 0))
    changes.push('values of variables become part of the arguments, which are stored in the clear');
  return {
    transport: 'STDIO',
    command: plain(command),
    ...(args.length > 0 && { args: args.map((arg, index) => shownArgument(arg, args[index - 1]?.template)) }),
    ...(named.length > 0 && { env: Object.fromEntries(named.map(([name, value]) => [name, hide(value)])) }),
    ...(cwd && { cwd: plain(cwd) }),
  };
}

const plain = ({ text, template, sources }: Filled): string | Hidden =>
  sources.length === 0 && text !== undefined ? text : new Hidden(text ?? '', template);

/** Arguments are no secrets where they are used, but some are written as if they were. */
function shownArgument({ text = '', template, sources }: Filled, before = ''): string | Hidden {
  const shown = SECRET_FLAG.test(before)
    ? shownFrom(sources)
    : maskUrl(template).replace(SECRET_ASSIGNMENT, `$1${shownFrom(sources)}`);
  return shown === text ? text : new Hidden(text, shown);
}
