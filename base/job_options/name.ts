/** The forms of a job's id, of its beginning, and of its name. They differ, so a text has one of the three. */

/** An id as a whole. */
export const ID_PATTERN = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The beginning of an id. Ids are UUIDs of version 7 and begin with a digit until the year 7544, so `cafe` is none. */
export const ID_PREFIX_PATTERN = /^[0-9][0-9a-f-]{0,35}$/i;

/** A name. Neither a digit and only hexadecimal digits and dashes after it, nor a UUID. */
export const NAME_PATTERN =
  /^(?![0-9][0-9A-Fa-f-]*$)(?![0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$)[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

/** The pattern in words. */
export const NAME_MUST =
  "1 to 64 letters, digits, _, . and -, first a letter or digit, and not the form of an id or of its beginning";
