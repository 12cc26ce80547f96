/** How large a form may be: as large as it is when every field of it is filled to the last letter. */

/** Of a form in which little is typed; and what any has beside that: names, marks, boxes. */
const usual = 64 * 1024

/** Bytes of `application/x-www-form-urlencoded`. A letter, as `maxlength` counts them, is `%E5%9B%9E` at most. */
export const encodedBytes = (letters = 0): number => usual + 9 * letters

/** Bytes of the fields of `multipart/form-data`, which come as they are. */
export const plainBytes = (letters = 0): number => usual + 3 * letters

/** Names and values in it. Each is work, however short it is. */
export const mostFields = 1_000
