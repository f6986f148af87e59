/** The classes of the datasets of digits. */
export const digits: readonly string[] = [...'0123456789'];

/** The classes of the datasets of letters. */
export const alphabet: readonly string[] = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];
