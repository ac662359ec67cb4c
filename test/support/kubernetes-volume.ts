import { mkdir, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Files by name. */
export type Payload = Readonly<Record<string, string>>;

/**
 * Writes a volume the way kubelet does: a folder per update, `..data` a symlink to the latest, each file a symlink
 * through it. A new folder is written whole, `..data` is renamed over, then the old folder is removed.
 *
 * @see https://github.com/kubernetes/kubernetes/blob/master/pkg/volume/util/atomic_writer.go
 */
export async function writeVolume(folder: string, payload: Payload): Promise<void> {
  const data = join(folder, '..data');
  const before = await readlink(data).catch(() => undefined);
  const stamped = `..2026_11_21_${crypto.randomUUID().slice(0, 8)}`;
  await mkdir(join(folder, stamped), { recursive: true });
  for (const [name, text] of Object.entries(payload)) await writeFile(join(folder, stamped, name), text);
  await symlink(stamped, join(folder, '..data_tmp'));
  await rename(join(folder, '..data_tmp'), data);
  if (before !== undefined) return rm(join(folder, before), { recursive: true });
  for (const name of Object.keys(payload)) await symlink(`..data/${name}`, join(folder, name));
}
