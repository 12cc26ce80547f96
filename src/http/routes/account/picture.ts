/** Her picture: sent in, taken away, and shown to herself alone. */
import type Router from '@koa/router'
import { removePicture, setPicture } from '#account/picture.ts'
import type { State } from '../../context.ts'
import type { House } from '../../house.ts'
import { type MemberRoutes, notHers } from './members.ts'
import { showProfile } from './profile.ts'

/** Pictures one member may have decoded: each may take seconds of a core. */
const most = { pictures: 10, seconds: 60 * 60 }

const path = '/account/picture'
const page = '/account/profile'

export function pictureRoutes(router: Router<State>, members: MemberRoutes, house: House): void {
  const { store, pictures, limits } = house
  const { act, done, findMember } = members

  router.get('account.picture', path, async (ctx) => {
    const member = await findMember(ctx)
    const picture = member && (await store.pictures.find(member.account.id))
    if (!picture) throw notHers(page)
    ctx.set('Cache-Control', 'private, no-store')
    ctx.set('Content-Security-Policy', "default-src 'none'; sandbox")
    ctx.type = picture.type
    ctx.body = picture.bytes
  })

  act(
    'account.picture.set',
    path,
    page,
    async (ctx, member, _fields, { picture }) => {
      const again = (why: string) =>
        showProfile(ctx, member, members, house, {
          pictureProblem: `account.picture.${why}`,
          status: 422,
        })
      // Browsers send a field nobody chose a file in as an empty one.
      if (!picture || ('bytes' in picture && picture.bytes.length === 0)) return again('missing')
      if ('tooLarge' in picture) return again('too-large')
      const hit = { of: ['pictures of', member.account.id], seconds: most.seconds }
      const [sent] = await limits.counters.hit(hit)
      if (sent.points > most.pictures) {
        const { leftSeconds: waitSeconds } = sent
        limits.refused(ctx, 'picture', 'account')
        const params = { minutes: Math.ceil(waitSeconds / 60) }
        const pictureProblem = { key: 'account.picture.wait', params }
        const held = { pictureProblem, status: 429, waitSeconds }
        return showProfile(ctx, member, members, house, held)
      }
      const encoded = await pictures.encode(picture.bytes)
      if (encoded.kind === 'refused') return again(encoded.why)
      await setPicture(store, member.acting, encoded)
      done(ctx, page, 'picture')
    },
    { files: true },
  )

  act('account.picture.remove', `${path}/remove`, page, async (ctx, member) => {
    await removePicture(store, member.acting)
    done(ctx, page, 'picture-removed')
  })
}
