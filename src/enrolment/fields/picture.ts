/** A picture of her, made one of ours at once: it need not be chosen again because something else was wrong. */
import type { FieldKind } from './field.ts'
import { empty, own, slip, words } from './field.ts'

/** The box that takes it out again. */
export const clearName = ({ id }: { id: string }) => `${id}_clear`

/** Whoever sends them need not be anybody, and each is work for a process of its own. */
const most = { pictures: 30, seconds: 60 * 60 }

export const picture: FieldKind<'picture'> = {
  control: 'picture',
  attributes: () => ({ type: 'file', accept: 'image/jpeg,image/png,image/webp' }),
  hint: () => words('picture.hint'),
  left: () => words('picture.left'),
  async read(field, { fields, files }, { kept, language, source }, ports) {
    const upload = Object.hasOwn(files, field.id) ? files[field.id] : undefined
    const before = own(fields, clearName(field)) === 'yes' ? undefined : kept
    const refuse = (why: string) => ({
      ...slip(field.id, words(`picture.${why}`)),
      ...(before === undefined ? {} : { keep: before }),
    })
    if (upload && 'tooLarge' in upload) return refuse('too-large')
    // A form without a file chosen sends an empty one.
    if (!upload || upload.bytes.length === 0)
      return before === undefined ? empty(field, language) : taken(field.id, before)
    const of = ['pictures from', source.name]
    const [count] = await ports.counters.hit({ of, seconds: most.seconds })
    if (count.points > most.pictures * source.factor)
      return { ...refuse('too-many'), waitSeconds: count.leftSeconds }
    const encoded = await ports.encodePicture(upload.bytes)
    if (encoded.kind === 'refused') return refuse(encoded.why)
    return taken(field.id, `${encoded.type},${encoded.bytes.toString('base64')}`)
  },
  summary: () => words('picture.chosen'),
}

const taken = (id: string, picture: string) => ({
  facts: { [id]: true },
  keep: picture,
  hold: async () => picture,
})
