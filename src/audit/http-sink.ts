import { GatewayError } from '../base/errors.ts';
import type { Secret } from '../base/secret.ts';
import type { Channel, Dialer } from '../tls/dialer.ts';
import type { TlsProfile } from '../tls/profile.ts';
import type { FileTail } from '../platform.ts';
import type { AuditSink } from './audit-sink.ts';

export interface HttpSinkOptions {
  readonly url: URL;
  /** Sent as a bearer token. */
  readonly token: Secret | undefined;
  readonly dialer: Pick<Dialer, 'open'>;
  /** Undefined for `http:`. */
  readonly profile: TlsProfile | undefined;
}

const ANSWER_BYTES = 64 * 1024;
const TIMEOUT_MS = 10_000;

/** Posts lines as NDJSON. A batch whose answer was lost is posted again, so a collector may meet lines twice. */
export class HttpSink implements AuditSink {
  /** What a collector has cannot be read back. */
  readonly name = undefined;
  readonly #options: HttpSinkOptions;
  #channel: Channel | undefined;
  #lastLine: string | undefined;

  constructor(options: HttpSinkOptions) {
    this.#options = options;
  }

  open(): Promise<FileTail> {
    return Promise.resolve({ lastLine: this.#lastLine, torn: undefined });
  }

  hasMoved(): Promise<boolean> {
    return Promise.resolve(false);
  }

  async append(lines: string): Promise<void> {
    const { url, token, dialer, profile } = this.#options;
    try {
      if (this.#channel === undefined || this.#channel.closed) this.#channel = await dialer.open(profile, url.origin);
      const response = await this.#channel.send({
        method: 'POST',
        path: url.pathname + url.search,
        headers: {
          'content-type': 'application/x-ndjson',
          ...(token && { authorization: `Bearer ${token.reveal()}` }),
        },
        body: lines,
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      await response.text(ANSWER_BYTES);
      const { status } = response;
      if (status < 200 || status > 299) throw unavailable(`${url.origin} answered status ${status}`);
    } catch (error) {
      throw error instanceof GatewayError && error.code === 'audit_unavailable'
        ? error
        : unavailable(`${url.origin} does not take them (${error instanceof GatewayError ? error.code : 'timeout'})`);
    }
    this.#lastLine = lines.trimEnd().split('\n').at(-1);
  }

  async close(): Promise<void> {
    await this.#channel?.drain(0);
  }
}

const unavailable = (why: string): GatewayError =>
  new GatewayError('audit_unavailable', `records of audit cannot be kept: ${why}`, {
    hint: 'look at the collector named by POSTERN_AUDIT; records wait for it, and what finds no room is counted',
  });
