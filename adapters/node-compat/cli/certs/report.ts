import { relative } from 'node:path';
import type { CheckedFile } from './check.ts';
import type { Made } from './make.ts';
import type { CertsIo } from './options.ts';

/** Says what was made and what was left alone. */
export function reportMade(made: readonly Made[], json: boolean, io: CertsIo): void {
  if (json) {
    io.out(
      JSON.stringify({
        certificates: made.map(({ certificate, ...rest }) => ({
          ...rest,
          ...certificate.facts,
        })),
      }),
    );
    return;
  }
  for (const { outcome, directory, files, certificate, isForeign } of made) {
    const { subject, keyType, notAfter } = certificate.facts;
    const until = notAfter.slice(0, 10);
    const folder = shown(directory, io);
    if (outcome === 'created') {
      io.out(`created  ${folder}  ${subject}, ${keyType}, until ${until}: ${files.join(' ')}`);
    } else {
      const problem = isForeign ? ', ISSUED BY ANOTHER CA than the one in ca/' : '';
      io.out(`kept     ${folder}  already exists, until ${until}${problem}; delete it to have it made anew`);
    }
  }
}

/** Says how long each certificate lasts; returns whether all is well. */
export function reportChecked(checked: readonly CheckedFile[], warnDays: number, json: boolean, io: CertsIo): boolean {
  const troubled = checked.filter(({ state }) => state !== 'valid').length;
  if (json) {
    const certificates = checked.map((file) => {
      if (file.state !== 'unreadable')
        return { path: file.path, state: file.state, daysLeft: file.daysLeft, ...file.facts };
      const { code, message, hint } = file.error;
      return { path: file.path, state: file.state, error: { code, message, hint } };
    });
    io.out(JSON.stringify({ ok: troubled === 0, warnDays, certificates }));
    return troubled === 0;
  }
  const width = Math.max(...checked.map(({ path }) => shown(path, io).length));
  for (const file of checked) io.out(`${shown(file.path, io).padEnd(width)}  ${verdict(file)}`);
  io.out(
    troubled === 0
      ? `all ${checked.length} certificates are valid for more than ${warnDays} days`
      : `${troubled} of ${checked.length} certificates need attention (warning from ${warnDays} days before expiry)`,
  );
  return troubled === 0;
}

function verdict(file: CheckedFile): string {
  if (file.state === 'unreadable') return `UNREADABLE: ${file.error.message}`;
  const { notBefore, notAfter, subject } = file.facts;
  const left = `${file.daysLeft} days left`;
  const words = {
    valid: left,
    expiring: `EXPIRES SOON, ${left}`,
    expired: 'EXPIRED',
    not_yet_valid: `NOT YET VALID, from ${notBefore}`,
  };
  return `expires ${notAfter}  ${words[file.state]}  ${subject}`;
}

function shown(path: string, io: CertsIo): string {
  const short = relative(io.cwd, path);
  return short === '' || short.startsWith('..') ? path : short;
}
