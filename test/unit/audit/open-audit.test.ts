import { expect, test } from 'vitest';
import { parseConfig } from '../../../src/config.ts';
import { startGateway } from '../../support/gateway.ts';

const withAudit = (POSTERN_AUDIT: string) => parseConfig({ environment: { POSTERN_AUDIT } }).values.audit;

test('a file or an address that keeps what it is sent to itself', () => {
  for (const target of [
    'file:a',
    'file:/var/log/a',
    'https://logs.example.com/in?x=1',
    'http://127.0.0.1:9/',
    'http://[::1]/',
  ])
    expect(withAudit(target)).toBe(target);
  for (const target of [
    'file:',
    'a',
    'http://logs.example.com/',
    'https://ann:secret@logs.example.com/',
    'ftp://localhost/',
  ])
    expect(() => withAudit(target)).toThrow(/^POSTERN_AUDIT: expected file:PATH, or https.*met something else$/);
});

test('where there are no files, a file is refused at the start', async () => {
  const settings = { POSTERN_AUDIT: 'file:audit.ndjson' };
  const wrapPlatform = (platform: object) => ({ ...platform, growingFile: undefined }) as never;
  await expect(startGateway({ settings, wrapPlatform })).rejects.toMatchObject({ code: 'capability_unsupported' });
});

test('a file that cannot be written is told at the start', async () => {
  const settings = { POSTERN_AUDIT: 'file:/dev/null/audit.ndjson' };
  await expect(startGateway({ settings })).rejects.toMatchObject({ code: 'audit_unavailable' });
});
