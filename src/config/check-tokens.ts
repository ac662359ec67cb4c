import { isSignatureAlgorithm } from '../identity/token-algorithms.ts';
import type { ConfigProblem } from './problem.ts';
import { SETTINGS } from './settings.ts';
import type { SettingName, SettingValues } from './settings.ts';

/** What is wrong with settings about tokens and passwords that are each right. */
export function tokenProblems(values: SettingValues): ConfigProblem[] {
  const { jwtAlgorithm, jwtPublicKeyPath, jwtPrivateKeyPath, trustedIssuers, jwtIssuer } = values;
  const hasKeys = jwtPublicKeyPath !== undefined || jwtPrivateKeyPath !== undefined;
  const user = values.basicAuthUser !== undefined;
  return [
    problem(
      isSignatureAlgorithm(jwtAlgorithm) && !hasKeys,
      'jwtAlgorithm',
      `${jwtAlgorithm} needs keys; set ${SETTINGS.jwtPrivateKeyPath.env}, or ${SETTINGS.jwtPublicKeyPath.env} where nothing is signed`,
    ),
    problem(
      trustedIssuers.includes(jwtIssuer),
      'trustedIssuers',
      `holds ${SETTINGS.jwtIssuer.env}, which is this gateway itself`,
    ),
    problem(
      user !== (values.basicAuthPassword !== undefined),
      user ? 'basicAuthPassword' : 'basicAuthUser',
      `has to be set too: ${SETTINGS[user ? 'basicAuthUser' : 'basicAuthPassword'].env} is`,
    ),
    problem(values.basicAuthUser?.includes(':') === true, 'basicAuthUser', 'cannot hold a colon (RFC 7617)'),
  ].flat();
}

/** What of them has no effect. */
export function tokenWarnings(values: SettingValues): ConfigProblem[] {
  const { jwtAlgorithm, trustedIssuers, clientAuthEnabled, issuerCa } = values;
  const idle = isSignatureAlgorithm(jwtAlgorithm)
    ? (['jwtSecretKey'] as const)
    : (['jwtPrivateKeyPath', 'jwtPublicKeyPath'] as const);
  return [
    ...idle.map((name) =>
      problem(values[name] !== undefined, name, `has no effect while ${SETTINGS.jwtAlgorithm.env} is ${jwtAlgorithm}`),
    ),
    problem(
      issuerCa !== undefined && trustedIssuers.length === 0,
      'issuerCa',
      `has no effect without ${SETTINGS.trustedIssuers.env}`,
    ),
    problem(
      trustedIssuers.length > 0 && !clientAuthEnabled,
      'trustedIssuers',
      `counts for metrics only while ${SETTINGS.clientAuthEnabled.env} is false`,
    ),
  ].flat();
}

const problem = (isThere: boolean, name: SettingName, message: string): ConfigProblem[] =>
  isThere ? [{ setting: SETTINGS[name].env, message }] : [];
