/**
 * What a program gets of our environment: what programs need to find files, folders and the user's language. Nothing
 * else: ours holds the vault keys, the signing key, store passwords, and whatever else the operator's shell had.
 */
const INHERITED = new Set([
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'LANG',
  'LANGUAGE',
  'TZ',
  'TMPDIR',
  // Windows; without the first, programs do not find their sockets library
  'SYSTEMROOT',
  'SYSTEMDRIVE',
  'WINDIR',
  'COMSPEC',
  'PATHEXT',
  'TEMP',
  'TMP',
  'USERNAME',
  'USERPROFILE',
  'HOMEDRIVE',
  'HOMEPATH',
  'APPDATA',
  'LOCALAPPDATA',
  'PROGRAMDATA',
  'PROGRAMFILES',
  'PROCESSOR_ARCHITECTURE',
]);

/** The environment of a program: the inherited variables, under those its gateway names. */
export function environmentOf(
  own: Readonly<Record<string, string>>,
  ours: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const environment: Record<string, string> = {};
  for (const [name, value] of Object.entries(ours))
    if (value !== undefined && isInherited(name)) environment[name] = value;
  return Object.assign(environment, own);
}

/** Names are compared in capitals, as Windows does; elsewhere `path` is no name anybody uses. */
const isInherited = (name: string): boolean =>
  INHERITED.has(process.platform === 'win32' ? name.toUpperCase() : name) || name.startsWith('LC_');
