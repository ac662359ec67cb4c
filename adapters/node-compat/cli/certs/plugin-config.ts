import { GatewayError } from '../../../../src/index.ts';
import { readTextFile } from '../../files/file-reader.ts';
import { exists } from './files.ts';
import { checkPluginName } from './names.ts';

const EXAMPLES = ['example-plugin-a', 'example-plugin-b'];

/** Whose certificates `all` makes, and whether that is only an example because there is no configuration. */
export interface PluginNames {
  readonly names: readonly string[];
  readonly isExample: boolean;
}

/**
 * The names of the plugins of `kind: external` in a configuration file, each once.
 *
 * @throws GatewayError config_invalid when the file is not that; UsageError for a name no folder can have.
 */
export async function readPluginNames(path: string): Promise<PluginNames> {
  if (!(await exists(path))) return { names: EXAMPLES, isExample: true };
  const names = externalPlugins(await parseYaml(path), path);
  return { names: [...new Set(names.map(checkPluginName))], isExample: false };
}

async function parseYaml(path: string): Promise<unknown> {
  const text = await readTextFile(path);
  const { parse } = await import('yaml');
  try {
    return parse(text);
  } catch {
    // Without the parser's error, which quotes the file.
    throw new GatewayError('config_invalid', `${path} is not valid YAML`);
  }
}

function externalPlugins(document: unknown, path: string): string[] {
  const plugins = isRecord(document) ? document['plugins'] : undefined;
  if (plugins === undefined || plugins === null) return [];
  if (!Array.isArray(plugins)) throw new GatewayError('config_invalid', `plugins in ${path} is not a list`);
  return plugins.flatMap((plugin: unknown, index) => {
    if (!isRecord(plugin) || plugin['kind'] !== 'external') return [];
    const name = plugin['name'];
    if (typeof name !== 'string')
      throw new GatewayError('config_invalid', `plugin ${index + 1} in ${path} has no name`);
    return [name];
  });
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
