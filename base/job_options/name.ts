/** The form of a job's name. It differs from the form of an id and of its beginning, so a text is one of the two. */

/** At most 64 characters, of which the first is a letter or digit, and one is neither a hexadecimal digit nor a dash. */
export const NAME_PATTERN = /^(?=[^]*[^0-9A-Fa-f-])[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

/** The pattern in words. */
export const NAME_MUST = "1 to 64 letters, digits, _, . and -, first a letter or digit, not only 0-9, a-f and -";
