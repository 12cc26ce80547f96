/** What a picture may be and becomes: read by the server and by the process that encodes. */

export const maxPictureBytes = 5 * 1024 * 1024
export const maxPixels = 40_000_000

/** Of what comes out: a square, and no more bytes than that. */
export const size = { pixels: 256, bytes: 40_000 }

/** How the encoding process ends when it is the picture’s fault; shells and Node have the low numbers. */
export const exits = { tooLarge: 65, broken: 66 }
