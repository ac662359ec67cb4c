import { asFields } from '../base/fields.ts';
import { nearest } from './nearest.ts';
import type { ConfigProblem } from './problem.ts';
import { fileKeyOf } from './setting.ts';
import { CLIENT_VARIABLES, SETTING_ROWS } from './settings.ts';
import { rawOf } from './values.ts';

/** What Kubernetes puts into every pod for a service whose name begins with «postern». */
const SERVICE_LINK =
  /^POSTERN_(?:\w+_)?(?:SERVICE_(?:HOST|PORT(?:_\w+)?)|PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?)$/;
const SERVICE_LINK_URL = /^(?:tcp|udp|sctp):\/\//;

/** Variables that look like ours and are none; a misspelt one must not silently mean the default. */
export function unknownVariables(environment: Readonly<Record<string, string | undefined>>): ConfigProblem[] {
  const known = new Set<string>([...SETTING_ROWS.map(([, { env }]) => env), ...CLIENT_VARIABLES]);
  return Object.entries(environment)
    .filter(([name, value]) => name.startsWith('POSTERN_') && !known.has(name) && value !== undefined && value !== '')
    .filter(
      ([name, value = '']) => !SERVICE_LINK.test(name) && !(name.endsWith('_PORT') && SERVICE_LINK_URL.test(value)),
    )
    .map(([name]) => ({ setting: name, message: `no such setting; the nearest is ${nearest(name, known)}` }));
}

/** What a parsed postern.yaml holds that is no setting, or no value of one. */
export function unknownKeys(file: unknown): ConfigProblem[] {
  if (file === undefined || file === null) return [];
  const mapping = asFields(file);
  if (mapping === undefined) return [{ setting: 'postern.yaml', message: 'expected a mapping of settings' }];
  const known = new Set(SETTING_ROWS.map(([, row]) => fileKeyOf(row)).filter((key) => key !== undefined));
  return Object.entries(mapping).flatMap(([key, value]) => {
    if (!known.has(key)) return [{ setting: key, message: `no such key; the nearest is ${nearest(key, known)}` }];
    const fits = value === null || rawOf(value) !== undefined;
    return fits ? [] : [{ setting: key, message: 'expected a value or a list of values, met a mapping' }];
  });
}
