/** What programs that embed the gateway import: a name may be added here, never removed or renamed in a minor version. */
import { expect, test } from 'vitest';
import { readText } from './source-tree.ts';

const CORE = [
  'Cancellation',
  'ERRORS',
  'GatewayError',
  'KEY_TYPES',
  'LeasedCache',
  'LineParser',
  'MESSAGE_BYTES',
  'MessagePipe',
  'PRODUCT',
  'RecordStore',
  'SETTINGS',
  'SETTING_ROWS',
  'Secret',
  'Vault',
  'checkAnchor',
  'checkIntermediate',
  'checkServerCertificate',
  'codeOf',
  'createAuthority',
  'createEventHub',
  'createGateway',
  'createLog',
  'daysLeft',
  'effectiveSettings',
  'equalBytes',
  'expiryState',
  'exportOf',
  'formatVaultKeys',
  'generateVaultKey',
  'guardStorage',
  'healthPortOf',
  'importTokenKey',
  'isLoopback',
  'isSharedStorage',
  'isSignedBy',
  'issueCertificate',
  'mintToken',
  'nearest',
  'newId',
  'notAfterSeconds',
  'openCallerAnchors',
  'openCallerCrls',
  'openKeyring',
  'openProfile',
  'orderChain',
  'parseCertificates',
  'parseConfig',
  'parseDerCertificate',
  'parseVaultKeys',
  'planImport',
  'readImport',
  'revealed',
  'rotateVault',
  'shownText',
  'slugOf',
  'splitPem',
  'storeUnavailable',
  'toGatewayError',
  'type AcceptedSocket',
  'type CallerAnchors',
  'type CallerCrls',
  'type Certificate',
  'type CertificateFacts',
  'type CertificateRequest',
  'type Change',
  'type Channel',
  'type ChannelRequest',
  'type ChannelResponse',
  'type Clock',
  'type Config',
  'type ConfigProblem',
  'type CutCount',
  'type Dialer',
  'type DialerCapabilities',
  'type EffectiveSetting',
  'type ErrorCode',
  'type EventHub',
  'type EventSink',
  'type ExpiryState',
  'type FetchHandler',
  'type FileReader',
  'type FileWatch',
  'type FileWatcher',
  'type Gateway',
  'type HandshakeReport',
  'type ImportFile',
  'type ImportStatus',
  'type IssuedCertificate',
  'type KeyOpener',
  'type KeyType',
  'type Lease',
  'type MessageSocket',
  'type OnChange',
  'type OnLink',
  'type ParsedConfig',
  'type PeerChain',
  'type PeerRules',
  'type PipeAnswer',
  'type PipeOptions',
  'type PipeRequest',
  'type PipeSend',
  'type PlannedEntry',
  'type Platform',
  'type ProcessSpawner',
  'type ProfileFingerprint',
  'type Program',
  'type ProgramExit',
  'type Registered',
  'type RotationResult',
  'type RunningProgram',
  'type Setting',
  'type SettingName',
  'type SettingValues',
  'type SocketHandler',
  'type StorageDriver',
  'type SubjectName',
  'type TlsProfile',
  'type VaultKeyText',
  'type Withdrawal',
];

const NODE = ['createNodeDialer', 'createNodePlatform', 'openListener', 'openStorage', 'systemClock'];

/** Every exported name of a file of re-exports, types marked as such, sorted. */
function exportsOf(path: string): string[] {
  const lists = readText(path).matchAll(/^export (type )?\{([^}]*)\}/gm);
  return [...lists]
    .flatMap(([, type = '', names = '']) => names.split(',').map((name) => type + name.trim()))
    .filter((name) => name.trim() !== '' && name !== 'type ')
    .toSorted();
}

test('postern exports these names', () => {
  expect(exportsOf('src/index.ts')).toEqual(CORE);
});

test('postern/node exports these names', () => {
  expect(exportsOf('adapters/node/index.ts')).toEqual(NODE);
});

test('both files hold named re-exports only', () => {
  const statements = `${readText('src/index.ts')}${readText('adapters/node/index.ts')}`.matchAll(/^export .*/gm);
  expect([...statements].map(([line]) => line).filter((line) => !/^export (?:type )?\{/.test(line))).toEqual([]);
});
