/** Whether a text is a path that means the same file whatever the working directory is, on any system. */
export const isAbsolutePath = (text: string): boolean => /^(?:\/|[A-Za-z]:[\\/]|\\\\)/.test(text);

/** Whether a text is a name without a folder, to be looked up. */
export const isBareName = (text: string): boolean => /^[^\\/]+$/.test(text) && text !== '.' && text !== '..';
