import { execFile } from 'node:child_process';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { promisify } from 'node:util';

/** What everybody on the machine can learn of a process. */
export interface ProcessListing {
  /** Its command line and its environment. */
  readonly text: string;
  /** The files it has open; empty where the system does not tell. */
  readonly files: readonly string[];
}

/** Looks a process up in /proc, or asks `ps` where there is none. */
export async function lookUpProcess(pid: number): Promise<ProcessListing> {
  const proc = `/proc/${pid}`;
  try {
    const text = (await readFile(`${proc}/cmdline`, 'latin1')) + (await readFile(`${proc}/environ`, 'latin1'));
    const descriptors = await readdir(`${proc}/fd`);
    const files = await Promise.all(descriptors.map((fd) => readlink(`${proc}/fd/${fd}`).catch(() => '')));
    return { text, files: files.filter((file) => file.startsWith('/') && !file.startsWith('/dev/')) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    const { stdout } = await promisify(execFile)('ps', ['-E', '-ww', '-o', 'command=', '-p', String(pid)]);
    return { text: stdout, files: [] };
  }
}
