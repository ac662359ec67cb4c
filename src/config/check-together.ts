import type { Secret } from '../base/secret.ts';
import { isCertificateEntry } from '../identity/proxy/trusted-proxies.ts';
import { isSignatureAlgorithm } from '../identity/token-algorithms.ts';
import { tokenProblems, tokenWarnings } from './check-tokens.ts';
import { healthPortOf } from './health-port.ts';
import type { ConfigProblem } from './problem.ts';
import { SETTINGS } from './settings.ts';
import type { SettingName, SettingValues } from './settings.ts';

/** @see https://www.rfc-editor.org/rfc/rfc7518#section-3.2 */
const SHORTEST_SECRET = 32;
const LAST_PORT = 65_535;

/** What is wrong with settings that are each right, and what is accepted but worth telling the operator. */
export function checkTogether(
  values: SettingValues,
  isFromFlag: (name: SettingName) => boolean,
): { readonly problems: ConfigProblem[]; readonly warnings: ConfigProblem[] } {
  const problems: ConfigProblem[] = [];
  const warnings: ConfigProblem[] = [];
  const onLoopback = isLoopback(values.host);
  if (!values.authRequired && !onLoopback)
    problems.push({
      setting: SETTINGS.authRequired.env,
      message: `false makes every caller an admin, so the gateway must listen on loopback, not on ${values.host}`,
    });
  if (values.certFile === undefined && values.keyFile !== undefined)
    problems.push({
      setting: SETTINGS.keyFile.env,
      message: `a key without a certificate; set ${SETTINGS.certFile.env}`,
    });
  if (values.keyFilePassword !== undefined && values.keyPasswordFile !== undefined)
    problems.push({ setting: SETTINGS.keyPasswordFile.env, message: 'give the passphrase or the file, not both' });
  for (const problem of [clientAuthProblem(values), proxyProblem(values), wayInProblem(values), tlsProblem(values)])
    if (problem) problems.push(problem);
  for (const name of idleOf(values))
    if (values[name] !== SETTINGS[name].fallback)
      warnings.push({
        setting: SETTINGS[name].env,
        message: `has no effect while ${SETTINGS.clientAuth.env} is none: callers are not asked for certificates`,
      });
  if (values.clientAuth === 'none' && values.ocsp.includes('callers'))
    warnings.push({
      setting: SETTINGS.ocsp.env,
      message: `callers has no effect while ${SETTINGS.clientAuth.env} is none: they are not asked for certificates`,
    });
  const unread = values.trustProxyAuth && values.authRequired ? [] : (['proxyUserHeader', 'trustProxyAuth'] as const);
  for (const name of unread)
    if (values[name] !== SETTINGS[name].fallback)
      warnings.push({
        setting: SETTINGS[name].env,
        message: values.authRequired
          ? `has no effect while ${SETTINGS.trustProxyAuth.env} is false`
          : `has no effect while ${SETTINGS.authRequired.env} is false: every caller is an admin`,
      });
  if (isFromFlag('storage') && hasPassword(values.storage))
    problems.push({
      setting: '--storage',
      message: `a password in a flag shows in the process list; use ${SETTINGS.storage.env} or postern.yaml`,
    });
  problems.push(...tokenProblems(values));
  warnings.push(...tokenWarnings(values));
  const secret = isSignatureAlgorithm(values.jwtAlgorithm) ? undefined : values.jwtSecretKey;
  if (secret !== undefined && secret.reveal().length < SHORTEST_SECRET)
    (onLoopback ? warnings : problems).push({
      setting: SETTINGS.jwtSecretKey.env,
      message: `shorter than ${SHORTEST_SECRET} characters can be guessed; \`postern vault key\` prints good ones`,
    });
  return { problems, warnings };
}

/** Asking callers for certificates needs TLS and somebody who vouches for them; health has to stay in reach. */
function clientAuthProblem(values: SettingValues): ConfigProblem | undefined {
  const { certFile, clientCa, clientAuth, port } = values;
  if (clientAuth === 'none') return undefined;
  const { env: setting } = SETTINGS.clientAuth;
  if (certFile === undefined) return { setting, message: `${clientAuth} needs TLS; set ${SETTINGS.certFile.env}` };
  if (clientCa === undefined)
    return { setting, message: `${clientAuth} needs to know who vouches for callers; set ${SETTINGS.clientCa.env}` };
  const healthPort = healthPortOf(values) ?? 0;
  if (healthPort <= LAST_PORT) return undefined;
  return { setting: SETTINGS.healthPort.env, message: `has to be set: ${port} + 1000 is no port` };
}

/** What counts for nothing while nobody shows certificates, to us or to a proxy. */
function idleOf({ clientAuth, trustProxyAuth }: SettingValues) {
  if (clientAuth !== 'none') return [];
  const ofCertificates = trustProxyAuth ? [] : (['clientCa', 'clientSubject', 'clientPins'] as const);
  return [...ofCertificates, 'clientCrl', 'clientChainDepth'] as const;
}

/** Plain text where there must be none, and suites that leave nothing to speak. */
function tlsProblem({ requireTls, certFile, tlsCiphers, tlsMinVersion }: SettingValues): ConfigProblem | undefined {
  if (requireTls && certFile === undefined)
    return {
      setting: SETTINGS.requireTls.env,
      message: `true allows no listener in plain text; set ${SETTINGS.certFile.env}`,
    };
  if (tlsCiphers === undefined) return undefined;
  const { env: setting } = SETTINGS.tlsCiphers;
  if (certFile === undefined) return { setting, message: `cipher suites need TLS; set ${SETTINGS.certFile.env}` };
  if (tlsMinVersion === 'TLSv1.3' && !tlsCiphers.some((name) => /^TLS_/i.test(name)))
    return { setting, message: `none of them is of TLS 1.3, the oldest version ${SETTINGS.tlsMinVersion.env} allows` };
  return undefined;
}

/** Whoever reaches the gateway past its proxy must not be believed. */
function proxyProblem({ host, clientAuth, trustProxyAuth, trustedProxies }: SettingValues): ConfigProblem | undefined {
  const { env: setting } = SETTINGS.trustedProxies;
  if (trustProxyAuth && trustedProxies === undefined && !isLoopback(host))
    return { setting, message: `has to be set: the gateway listens on ${host}, where others than the proxy reach it` };
  if (clientAuth === 'none' && trustedProxies?.some(isCertificateEntry))
    return { setting, message: `cert: needs callers to be asked for certificates; set ${SETTINGS.clientAuth.env}` };
  return undefined;
}

function wayInProblem(values: SettingValues): ConfigProblem | undefined {
  const { authRequired, clientAuthEnabled, trustProxyAuth, clientAuth } = values;
  if (!authRequired || clientAuthEnabled || trustProxyAuth || clientAuth !== 'none') return undefined;
  return {
    setting: SETTINGS.clientAuthEnabled.env,
    message: `false lets nobody in: set ${SETTINGS.trustProxyAuth.env} or ${SETTINGS.clientAuth.env}`,
  };
}

/** Whether a listening address can be reached from this machine only. */
export function isLoopback(host: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|\[?::1\]?)$/.test(host.toLowerCase());
}

function hasPassword(url: Secret | undefined): boolean {
  return /^[a-z]+:\/\/[^@]*:[^@]+@/.test(url?.reveal() ?? '') || /[?&][^=&#]*password=/i.test(url?.reveal() ?? '');
}
