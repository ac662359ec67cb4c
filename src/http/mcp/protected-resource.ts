/** Every way in to the MCP of one server, with its name; all of them are one resource. */
const MCP_PATH = /^(?:\/servers\/([^/]+))?\/(?:mcp(?:\/http)?|sse|messages?|ws)\/?$/;
const RESOURCE_PATH = /^(?:\/servers\/[^/]+)?\/mcp$/;

/** Where resources describe themselves. @see https://www.rfc-editor.org/rfc/rfc9728#section-3 */
export const METADATA_PATH = '/.well-known/oauth-protected-resource';

export interface ProtectedResourcesOptions {
  /** POSTERN_PUBLIC_URL; undefined for the origin of each request. */
  readonly publicUrl: string | undefined;
  /** Who else issues tokens for MCP; empty where nobody does, and then nothing is said of it. */
  readonly issuers: readonly string[];
}

/** The MCP addresses as OAuth knows them: resources that tokens are issued for. */
export class ProtectedResources {
  readonly #publicUrl: string | undefined;
  readonly #issuers: readonly string[];

  constructor({ publicUrl, issuers }: ProtectedResourcesOptions) {
    this.#publicUrl = publicUrl;
    this.#issuers = issuers;
  }

  /** The resource a URL leads to, as tokens name it; undefined for what is no MCP address. */
  resourceOf(url: string): string | undefined {
    const path = resourcePath(url);
    return path === undefined ? undefined : this.#base(url) + path;
  }

  /** Where that resource describes itself; undefined where there is nothing to say. */
  metadataOf(url: string): string | undefined {
    const path = this.#issuers.length === 0 ? undefined : resourcePath(url);
    return path === undefined ? undefined : this.#base(url) + METADATA_PATH + path;
  }

  /**
   * What is to be read at a metadata address; the same for servers that are not there, since anybody may ask.
   *
   * @see https://www.rfc-editor.org/rfc/rfc9728#section-2
   */
  document(url: string): object | undefined {
    const path = new URL(url).pathname.slice(METADATA_PATH.length);
    if (this.#issuers.length === 0 || !RESOURCE_PATH.test(path)) return undefined;
    return {
      resource: this.#base(url) + path,
      authorization_servers: this.#issuers,
      bearer_methods_supported: ['header'],
    };
  }

  #base(url: string): string {
    return this.#publicUrl ?? new URL(url).origin.replace(/^ws/, 'http');
  }
}

function resourcePath(url: string): string | undefined {
  const found = MCP_PATH.exec(new URL(url).pathname);
  if (found === null) return undefined;
  return found[1] === undefined ? '/mcp' : `/servers/${found[1]}/mcp`;
}
