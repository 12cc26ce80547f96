/** A process of its own for one picture: bytes on standard input, a square WebP on standard output. See pictures.ts. */
import { setPriority } from 'node:os'
import { buffer } from 'node:stream/consumers'
import sharp from 'sharp'
import { exits, maxPixels, size } from './picture-rules.ts'

try {
  // Signing in comes first.
  setPriority(10)
} catch {
  // A service may be forbidden to change it.
}
sharp.cache(false)
sharp.concurrency(1)
// Three decoders of the dozens there are: whatever the first bytes say, no SVG, PDF or archive is opened.
sharp.block({ operation: ['VipsForeignLoad'] })
sharp.unblock({
  operation: ['VipsForeignLoadJpegBuffer', 'VipsForeignLoadPngBuffer', 'VipsForeignLoadWebpBuffer'],
})

async function encode(bytes: Buffer): Promise<Buffer | number> {
  const { width, height } = await sharp(bytes, { limitInputPixels: false }).metadata()
  if (width * height > maxPixels) return exits.tooLarge
  // autoOrient: a telephone held upright notes that in the EXIF data, which is left out.
  const square = await sharp(bytes, { limitInputPixels: maxPixels, failOn: 'error' })
    .autoOrient()
    .resize(size.pixels, size.pixels, { fit: 'cover' })
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true })
  for (const quality of [82, 60, 30]) {
    const { width, height, channels } = square.info
    const raw = { width, height, channels }
    const webp = await sharp(square.data, { raw }).webp({ quality }).toBuffer()
    if (webp.length <= size.bytes) return webp
  }
  return exits.broken
}

const encoded = await encode(await buffer(process.stdin)).catch(() => exits.broken)
if (typeof encoded === 'number') process.exitCode = encoded
else process.stdout.write(encoded)
