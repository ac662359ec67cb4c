/** Texts, and what structures JSON around them; numbers and words in between are of no matter. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}:]/gs;

/** Whether an object in valid JSON, at any depth, has two members of one name. */
export function hasDuplicateNames(json: string): boolean {
  const open: Set<string>[] = [];
  let text = '';
  for (const [token] of json.matchAll(TOKEN)) {
    if (token === '{') open.push(new Set());
    else if (token === '}') open.pop();
    else if (token !== ':') text = token;
    else {
      // a name may be written in many ways
      const name = JSON.parse(text) as string;
      const names = open.at(-1);
      if (names?.has(name)) return true;
      names?.add(name);
    }
  }
  return false;
}
