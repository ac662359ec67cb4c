/**
 * A URI, and what servers may take it for: most read what they are asked for with a URL parser, which knows many
 * spellings of one thing, and some undo escapes. What is hidden has to be hidden in all of them.
 *
 * @see https://url.spec.whatwg.org/#url-parsing
 */
export function spellingsOf(uri: string): readonly string[] {
  return [...new Set([uri, URL.parse(uri)?.href ?? uri, plainest(withoutEscapes(uri))])];
}

/** As a URL parser writes it, and with single slashes, as file systems read paths. */
function plainest(uri: string): string {
  const url = URL.parse(uri);
  if (url === null) return uri;
  url.pathname = url.pathname.replaceAll(/\/{2,}/g, '/');
  return url.href;
}

/** Escapes that are no text stay behind as replacement characters, which no rule names. */
function withoutEscapes(uri: string): string {
  return uri.replaceAll(/(?:%[\da-f]{2})+/gi, (escapes) => {
    const bytes = [...escapes.matchAll(/%(..)/g)].map(([, hex = '']) => Number.parseInt(hex, 16));
    return new TextDecoder().decode(Uint8Array.from(bytes));
  });
}
