/** What programs that embed the gateway import: a name may be added here, never removed or renamed in a minor version. */
import { expect, test } from 'vitest';
import { readText } from './source-tree.ts';

const CORE = [
  'Cancellation',
  'ERRORS',
  'GatewayError',
  'Generations',
  'Instances',
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
  'addressRefused',
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
  'keyUses',
  'metadataAddresses',
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
  'refusalOf',
  'revealed',
  'revocationJudge',
  'rotateVault',
  'shownText',
  'slugOf',
  'splitPem',
  'storeUnavailable',
  'toGatewayError',
  'type AcceptedSocket',
  'type Arrival',
  'type CallerAnchors',
  'type CallerConnection',
  'type CallerCrls',
  'type Certificate',
  'type CertificateFacts',
  'type CertificateRequest',
  'type Change',
  'type Channel',
  'type ChannelRequest',
  'type ChannelResponse',
  'type ClientIdentity',
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
  'type FleetView',
  'type Gateway',
  'type HandshakeReport',
  'type ImportFile',
  'type ImportStatus',
  'type InstanceState',
  'type InstanceView',
  'type IssuedCertificate',
  'type KeyOpener',
  'type KeyType',
  'type KeyUse',
  'type KeyUses',
  'type Lease',
  'type ListenerCapabilities',
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
  'type RefusedValue',
  'type Registered',
  'type RevocationVerdict',
  'type RotationParticipant',
  'type RotationProblem',
  'type RotationProgress',
  'type RotationResult',
  'type RotationStep',
  'type RunningProgram',
  'type ServerRefusal',
  'type Setting',
  'type SettingName',
  'type SettingValues',
  'type SocketHandler',
  'type StorageDriver',
  'type SubjectName',
  'type TlsProfile',
  'type VaultKeyText',
  'type VerifiedCertificate',
  'type Withdrawal',
  'withdrawalJudge',
];

const RUNTIME = ['createDialer', 'createPlatform', 'openListener', 'openStorage', 'systemClock'];
const RUNTIMES = ['node', 'deno', 'bun'];

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

test.each(RUNTIMES)('postern/%s exports these names', (runtime) => {
  expect(exportsOf(`adapters/${runtime}/index.ts`)).toEqual([runtime.toUpperCase(), ...RUNTIME]);
});

test('all of these files hold named re-exports only', () => {
  const files = ['src/index.ts', ...RUNTIMES.map((runtime) => `adapters/${runtime}/index.ts`)];
  const statements = files
    .map(readText)
    .join('')
    .matchAll(/^export .*/gm);
  expect([...statements].map(([line]) => line).filter((line) => !/^export (?:type )?\{/.test(line))).toEqual([]);
});
