import type { Context, Hono } from 'hono';
import { GatewayError } from '../../base/errors.ts';
import type { EventSink } from '../../base/events.ts';
import type { ChangeOptions } from '../../registry/gateway-changes.ts';
import type { HttpEnv } from '../env.ts';
import { problemAnswer } from '../problem.ts';
import { readQuery } from './query.ts';
import { readJson } from './read-json.ts';

/** Answers one operation of the API. */
export type Handler = (c: Context<HttpEnv>) => Response | Promise<Response>;

/** Handlers by path and method. */
export type Routes = Readonly<Record<string, Readonly<Record<string, Handler>>>>;

/** Puts routes below `base`; a method a path has no handler for is refused. */
export function mount(app: Hono<HttpEnv>, base: string, routes: Routes, events: EventSink): void {
  for (const [below, handlers] of Object.entries(routes)) {
    const path = base + below;
    for (const [method, handler] of Object.entries(handlers)) app.on(method, path, handler);
    const allow = Object.keys(handlers).join(', ');
    app.all(path, (c) =>
      problemAnswer(new GatewayError('method_not_allowed', `expected ${allow}, met ${c.req.method}`), {
        path: c.req.path,
        events,
        headers: { allow },
      }),
    );
  }
}

const PRIVATE = { 'cache-control': 'no-store' };

/** A JSON answer that nobody keeps. */
export const answer = (body: unknown, status = 200): Response => Response.json(body, { status, headers: PRIVATE });

/** A JSON answer about a record, with its version as ETag; undefined for a record that cannot be read. */
export const versionedAnswer = (body: unknown, version: string | undefined, status = 200): Response =>
  Response.json(body, { status, headers: { ...PRIVATE, ...(version !== undefined && { etag: `"${version}"` }) } });

/** The grant of an admin. */
export const grantOf = (c: Context<HttpEnv>) => c.get('grant');

/** The `:id` of the path. */
export const idOf = (c: Context<HttpEnv>): string => c.req.param('id') ?? '';

/** Refuses a query where none is expected. @throws GatewayError request_invalid */
export const noQuery = (c: Context<HttpEnv>): unknown => readQuery(c.req.url, {});

const BODY_BYTES = 2 * 1024 * 1024;

/** The JSON body. @throws GatewayError media_type_unsupported, request_too_large, request_invalid */
export const bodyOf = (c: Context<HttpEnv>): Promise<unknown> => readJson(c.req.raw, BODY_BYTES);

/**
 * The versions If-Match names; weak tags and what is no tag match nothing.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-13.1.1
 */
export function ifMatch({ req }: Context<HttpEnv>): ChangeOptions {
  const header = req.header('if-match')?.trim();
  if (header === undefined || header === '*') return {};
  return { ifVersions: header.split(',').flatMap((tag) => /^\s*"([^"]*)"\s*$/.exec(tag)?.[1] ?? []) };
}
