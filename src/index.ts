/**
 * The public surface: what adapters and programs that embed the gateway import. Nothing else of `src` is theirs, and
 * nothing is removed or renamed here without a major version.
 */

// a gateway, and the settings it is made from
export { createGateway } from './gateway.ts';
export type { Gateway } from './gateway.ts';
export type { FetchHandler, SocketHandler } from './http/app.ts';
export type { Arrival } from './http/env.ts';
export type { CallerConnection, VerifiedCertificate } from './identity/credentials.ts';
export type { AcceptedSocket, MessageSocket } from './http/mcp/pipe/socket-port.ts';
export { effectiveSettings, isSharedStorage, parseConfig } from './config.ts';
export type { Config, EffectiveSetting, ParsedConfig } from './config.ts';
export { isLoopback } from './config/check-together.ts';
export { healthPortOf } from './config/health-port.ts';
export { refuseUnsupported, requireGiven } from './config/hosted.ts';
export type { GivenSettings, SettingsHost } from './config/hosted.ts';
export { nearest } from './config/nearest.ts';
export type { ConfigProblem } from './config/problem.ts';
export { SETTING_ROWS, SETTINGS } from './config/settings.ts';
export type { Setting } from './config/setting.ts';
export type { SettingName, SettingValues } from './config/settings.ts';
export { PRODUCT } from './base/product.ts';

// what a runtime hands in
export type {
  FileReader,
  FileTail,
  FileWatch,
  FileWatcher,
  GrowingFile,
  Platform,
  ProcessSpawner,
  Program,
  ProgramExit,
  RunningProgram,
} from './platform.ts';
export type { Clock } from './base/clock.ts';
export type {
  Channel,
  ChannelRequest,
  ChannelResponse,
  CutCount,
  Dialer,
  DialerCapabilities,
  HandshakeReport,
  ListenerCapabilities,
  PeerChain,
} from './tls/dialer.ts';
export type { KeyOpener } from './tls/key-opener.ts';
export type { ClientIdentity, ProfileFingerprint, TlsProfile } from './tls/profile.ts';
export type { Change, OnChange, OnLink, SharedCounters, StorageDriver } from './store/driver.ts';
export { codeOf, guardStorage, storeUnavailable } from './store/unavailable.ts';
export { Cancellation } from './base/cancel-signal.ts';
export { LeasedCache } from './base/leased-cache.ts';
export type { Lease } from './base/leased-cache.ts';

// MCP clients that speak something else than Streamable HTTP
export { MESSAGE_BYTES } from './http/mcp/pipe/pipe-answer.ts';
export type { PipeAnswer } from './http/mcp/pipe/pipe-answer.ts';
export { MessagePipe } from './http/mcp/pipe/message-pipe.ts';
export type { PipeOptions } from './http/mcp/pipe/message-pipe.ts';
export type { PipeRequest, PipeSend } from './http/mcp/pipe/pipe-session.ts';
export { openProfile } from './tls/open-profile.ts';
export { LineParser } from './wire/lines.ts';

// errors, events and secrets
export { ERRORS, GatewayError, toGatewayError } from './base/errors.ts';
export type { ErrorCode } from './base/errors.ts';
export { createEventHub } from './base/events.ts';
export type { EventHub, EventSink } from './base/events.ts';
export { createLog } from './observe/log-line.ts';
export { Secret } from './base/secret.ts';
export { equalBytes } from './base/bytes.ts';
export { newId, slugOf } from './base/ids.ts';

// what files of other programs describe
export { revealed, shownText } from './import/hidden.ts';
export type { ImportFile } from './import/imported-entry.ts';
export type { Registered } from './import/name-book.ts';
export { exportOf } from './import/own-export.ts';
export type { ImportStatus, PlannedEntry } from './import/plan.ts';
export { loadImport } from './import/load-import.ts';

// the trail of audit
export { AnchorRecords } from './audit/anchor-records.ts';
export type { Finding, TrailReport } from './audit/trail-verifier.ts';
export type { TrailVerifier } from './audit/trail-verifier.ts';
export { loadTrailVerifier } from './audit/load-trail-verifier.ts';

// what rotates, and how far each instance is
export type { FleetView, InstanceView } from './rotation/fleet-view.ts';
export { Generations } from './rotation/generations.ts';
export { Instances } from './rotation/instances.ts';
export type { InstanceState } from './rotation/instances.ts';
export type { RotationParticipant, RotationProblem, RotationStep } from './rotation/participant.ts';

// tokens, the vault and its rotation
export { importTokenKey, mintToken } from './identity/token.ts';
export { isSignatureAlgorithm } from './identity/token-algorithms.ts';
export { RecordStore } from './store/records.ts';
export { openKeyring } from './vault/keyring.ts';
export { keyUses } from './vault/key-uses.ts';
export type { KeyUse, KeyUses } from './vault/key-uses.ts';
export { rotateVault } from './vault/rotate.ts';
export type { RefusedValue, RotationProgress, RotationResult } from './vault/rotate.ts';
export { formatVaultKeys, generateVaultKey, parseVaultKeys } from './vault/vault-keys.ts';
export type { VaultKeyText } from './vault/vault-keys.ts';
export { Vault } from './vault/vault.ts';

// certificates
export type { Certificate, CertificateFacts } from './pki/certificate.ts';
export { orderChain } from './pki/chain.ts';
export { checkAnchor, checkClientCertificate, checkIntermediate, checkServerCertificate } from './pki/checks.ts';
export { daysLeft, expiryState, notAfterSeconds } from './pki/expiry.ts';
export type { ExpiryState } from './pki/expiry.ts';
export { createAuthority, issueCertificate } from './pki/issue.ts';
export type { CertificateRequest, IssuedCertificate, SubjectName } from './pki/issue.ts';
export { KEY_TYPES } from './pki/keys.ts';
export type { KeyType } from './pki/keys.ts';
export { parseCertificates, parseDerCertificate } from './pki/parse.ts';
export { splitPem } from './pki/pem.ts';
export { isSignedBy } from './pki/signature.ts';

// certificates callers show
export { openCallerAnchors, openCallerCrls } from './tls/caller-trust.ts';
export type { CallerAnchors, CallerCrls, CallerRules } from './tls/caller-trust.ts';
export { isTooDeep } from './tls/caller-depth.ts';
export { canonicalPin } from './base/pin.ts';
export type { ListenerRefusal } from './base/listener-refusal.ts';
export { unknownAuthorities } from './identity/subject-rules.ts';
export { fetchOver } from './tls/fetch-bytes.ts';
export { OcspClient } from './tls/ocsp/ocsp-client.ts';
export { StapleKeeper } from './tls/ocsp/staple-keeper.ts';
export { OcspGuard } from './tls/ocsp/ocsp-guard.ts';
export type { OcspPeer, OcspRefusal } from './tls/ocsp/ocsp-guard.ts';
export { refusalOf } from './tls/refused-server.ts';
export type { ServerRefusal } from './tls/refused-server.ts';
export type { ListReader } from './tls/lists/list-feeds.ts';
export { revocationJudge } from './tls/revocation.ts';
export type { RevocationVerdict } from './tls/revocation.ts';
export { withdrawalJudge } from './tls/withdrawal.ts';
export type { PeerRules, Withdrawal } from './tls/withdrawal.ts';
export { addressRefused, metadataAddresses } from './base/refused-addresses.ts';
