import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import sharp, { type Sharp } from 'sharp'
import { BusyError } from '#errors.ts'
import { type Encoded, openPictures } from '#outside/pictures.ts'

const pictures = openPictures()
test.after.always(() => pictures.close())

const plain = (width: number, height: number, background = '#c81e5a') =>
  sharp({ create: { width, height, channels: 3, background }, limitInputPixels: false })

const noise = (width: number, height: number) =>
  sharp({
    create: {
      width,
      height,
      channels: 3,
      background: 'white',
      noise: { type: 'gaussian', mean: 128, sigma: 90 },
    },
  })

/** What a telephone writes beside the pixels. */
const withTraces = (picture: Sharp) =>
  picture
    .withExif({ IFD0: { Make: 'PhoneOfWang' }, IFD3: { GPSLatitude: '25/1 2/1 17/1' } })
    .withXmp('<x:xmpmeta xmlns:x="adobe:ns:meta/"><who>PhoneOfWang</who></x:xmpmeta>')

async function ours(t: ExecutionContext, encoded: Encoded) {
  if (encoded.kind === 'refused') throw new Error(`refused: ${encoded.why}`)
  const { format, width, height, exif, xmp, icc } = await sharp(encoded.bytes).metadata()
  t.deepEqual({ format, width, height }, { format: 'webp', width: 256, height: 256 })
  t.deepEqual([exif, xmp, icc], [undefined, undefined, undefined])
  t.is(encoded.type, 'image/webp')
  t.true(encoded.bytes.length <= 40_000, `${encoded.bytes.length} bytes`)
  return encoded.bytes
}

const refused = (why: string) => ({ kind: 'refused', why })

/** The colour at a place, as `[red, green, blue]`. */
async function colour(bytes: Buffer, left: number, top: number) {
  const one = sharp(bytes).removeAlpha().extract({ left, top, width: 1, height: 1 })
  return [...(await one.raw().toBuffer())]
}

test('jpeg, png and webp of every kind come out as a small square', async (t) => {
  const files = [
    plain(4000, 3000).jpeg(),
    plain(400, 900).jpeg({ progressive: true }),
    plain(300, 300).toColourspace('cmyk').jpeg(),
    plain(300, 200).greyscale().png(),
    plain(120, 80).png({ palette: true }),
    plain(500, 500).toColourspace('rgb16').png({ progressive: true }),
    plain(640, 480).webp({ lossless: true }),
    plain(1, 1).png(),
    noise(256, 256).png(),
  ]
  for (const file of files) await ours(t, await pictures.encode(await file.toBuffer()))
})

test('an upright photograph stays upright and tells neither place nor camera', async (t) => {
  // Left half red, right half blue, to be turned by a quarter: red on top.
  const blue = await plain(300, 600, 'blue').png().toBuffer()
  const file = await withTraces(
    plain(600, 600, 'red').composite([{ input: blue, left: 300, top: 0 }]),
  )
    .jpeg({ quality: 95 })
    .withMetadata({ orientation: 6 })
    .toBuffer()
  const sent = await sharp(file).metadata()
  t.true(file.includes('PhoneOfWang') && sent.orientation === 6 && !!sent.exif)

  const bytes = await ours(t, await pictures.encode(file))
  t.false(bytes.includes('PhoneOfWang'))
  const [top, bottom] = [await colour(bytes, 128, 20), await colour(bytes, 128, 236)]
  t.true(Number(top[0]) > 200 && Number(top[2]) < 60, `top ${top}`)
  t.true(Number(bottom[2]) > 200 && Number(bottom[0]) < 60, `bottom ${bottom}`)
})

test('what else the file was, a page with a script, is gone', async (t) => {
  const html = '<html><script>alert(document.cookie)</script></html>'
  const jpeg = await plain(400, 400).jpeg().toBuffer()
  const comment = Buffer.concat([Buffer.from([0xff, 0xfe, 0, html.length + 2]), Buffer.from(html)])
  const file = Buffer.concat([jpeg.subarray(0, 2), comment, jpeg.subarray(2), Buffer.from(html)])
  t.true(file.includes('alert('))
  const bytes = await ours(t, await pictures.encode(file))
  t.false(bytes.includes('script') || bytes.includes('alert'))
})

test('what is no picture is not given to a decoder', async (t) => {
  const svg = '<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>'
  const gif = await plain(10, 10).gif().toBuffer()
  const tiff = await plain(10, 10).tiff().toBuffer()
  const files = [svg, `\ufeff${svg}`, '%PDF-1.7', 'PK\x03\x04', '<html>', 'RIFF____AVI ', '', 'a']
  for (const file of [...files.map((one) => Buffer.from(one, 'latin1')), gif, tiff])
    t.deepEqual(
      await pictures.encode(file),
      refused('not-a-picture'),
      file.toString('latin1', 0, 9),
    )
})

test('a picture’s beginning does not open another decoder', async (t) => {
  for (const rest of ['<svg xmlns="http://www.w3.org/2000/svg"/>', 'x'.repeat(5000), ''])
    for (const beginning of ['\xff\xd8\xff\xe0', '\x89PNG\r\n\x1a\n', 'RIFF\x20\x20\x20\x20WEBP'])
      t.deepEqual(await pictures.encode(Buffer.from(beginning + rest, 'latin1')), refused('broken'))
})

test('half a file is refused', async (t) => {
  for (const whole of [noise(500, 500).jpeg(), noise(500, 500).png(), noise(500, 500).webp()]) {
    const file = await whole.toBuffer()
    t.deepEqual(await pictures.encode(file.subarray(0, file.length / 2)), refused('broken'))
  }
})

test('too many bytes and too many pixels are refused before they are decoded', async (t) => {
  const large = await noise(1600, 1600).png({ compressionLevel: 0 }).toBuffer()
  t.true(large.length > 5 * 1024 * 1024)
  t.deepEqual(await pictures.encode(large), refused('too-large'))

  const bomb = await plain(20_000, 20_000).png({ compressionLevel: 9 }).toBuffer()
  t.true(bomb.length < 5 * 1024 * 1024)
  const tries: number[] = []
  for (let i = 0; i < 5; i++) {
    const began = performance.now()
    t.deepEqual(await pictures.encode(bomb), refused('too-large'))
    tries.push(performance.now() - began)
  }
  // The quickest: what a busy machine adds to the others says nothing of us.
  const refusing = Math.min(...tries)
  // A little less than what is let pass is work, and done.
  const largest = await plain(6300, 6300).png({ progressive: true }).toBuffer()
  const begun = performance.now()
  await ours(t, await pictures.encode(largest))
  const decoding = performance.now() - begun
  t.true(refusing < decoding, `${refusing} ms to refuse ten times what took ${decoding} ms`)
})

test('a decoder that would need hundreds of megabytes is stopped', async (t) => {
  const background = { r: 200, g: 30, b: 90, alpha: 0.5 }
  const file = await sharp({ create: { width: 6300, height: 6300, channels: 4, background } })
    .toColourspace('rgb16')
    .png({ progressive: true })
    .toBuffer()
  t.true(file.length < 2 * 1024 * 1024)
  t.deepEqual(await pictures.encode(file), refused('broken'))
  t.like(await pictures.encode(await plain(9, 9).png().toBuffer()), { kind: 'picture' })
})

test('one at a time, a few wait, more are told to come again', async (t) => {
  const crowded = openPictures()
  const file = await plain(500, 500).jpeg().toBuffer()
  const asked = await Promise.allSettled(Array.from({ length: 12 }, () => crowded.encode(file)))
  const busy = asked.filter((one) => one.status === 'rejected' && one.reason instanceof BusyError)
  t.is(busy.length, 3)
  t.is(asked.filter((one) => one.status === 'fulfilled' && one.value.kind === 'picture').length, 9)
  t.like(await crowded.encode(file), { kind: 'picture' })
})

test('closing ends the one under way and those that wait', async (t) => {
  const closed = openPictures()
  const file = await plain(500, 500).jpeg().toBuffer()
  const asked = [closed.encode(file), closed.encode(file)]
  closed.close()
  for (const { status } of await Promise.allSettled(asked)) t.is(status, 'rejected')
})

test('the encoder is no part of the server’s memory, and knows none of its secrets', (t) => {
  const pictures = join(import.meta.dirname, '../../src/outside/pictures.ts')
  const code = `
    import { readFileSync } from 'node:fs'
    import { openPictures } from ${JSON.stringify(pictures)}
    const jpeg = Buffer.from('/9j/', 'base64')
    const answer = openPictures().encode(jpeg)
    let pid = ''
    while (!pid) {
      await new Promise((done) => setTimeout(done, 5))
      pid = readFileSync('/proc/self/task/' + process.pid + '/children', 'utf8').split(' ')[0]
    }
    const env = readFileSync('/proc/' + pid + '/environ', 'latin1')
    const sharp = process.report.getReport().sharedObjects.filter((one) => /vips|sharp/.test(one))
    console.log(JSON.stringify({ env, sharp, answer: await answer }))`
  const run = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    env: { CITYGATE_KEK: 'a secret' },
    encoding: 'utf8',
  })
  t.is(run.status, 0, run.stderr)
  const { env, sharp, answer } = JSON.parse(run.stdout)
  t.deepEqual(answer, refused('broken'))
  t.deepEqual(sharp, [])
  t.regex(env, /MALLOC_ARENA_MAX=1/)
  t.notRegex(env, /secret|CITYGATE/)
})
