/** A member's picture. */
import type { PictureRow, Store } from '#store/store.ts'
import { type Acting, acted, lockMember } from './act.ts'

/** As we encoded it: what she sent is never kept. */
export type EncodedPicture = Pick<PictureRow, 'type' | 'bytes'>

export async function setPicture(
  store: Store,
  acting: Acting,
  picture: EncodedPicture,
): Promise<void> {
  await store.transaction(async (tables) => {
    const { id } = await lockMember(tables, acting.accountId)
    const { type, bytes } = picture
    await tables.pictures.put({ accountId: id, type, bytes, updatedAt: acting.at })
    await tables.audit.record(acted(acting, 'picture.change'))
  })
}

export async function removePicture(store: Store, acting: Acting): Promise<void> {
  await store.transaction(async (tables) => {
    const { id } = await lockMember(tables, acting.accountId)
    if (!(await tables.pictures.find(id))) return
    await tables.pictures.remove(id)
    await tables.audit.record(acted(acting, 'picture.remove'))
  })
}
